/** A scheduled job as it is shown, from what its host keeps of it. Pure. */
import type { HostClock, KeptJob } from "../tools/at.ts";
import type { ActionName } from "./types.ts";

/** `failed`: a line of it did not end with 0; `lost`: its carrier has it no more and it never began. */
export type ScheduledState = "waiting" | "running" | "done" | "failed" | "lost";

export interface ScheduledJob {
  id: string;
  /** The host that carries it. */
  host: string;
  /** Epoch seconds. */
  at: number;
  madeAt: number | null;
  action: ActionName | "unknown";
  names: readonly string[];
  state: ScheduledState;
  carrier: string;
  startedAt: number | null;
  endedAt: number | null;
  results: readonly { name: string; status: number }[];
  clock: HostClock | null;
}

interface Marker {
  at: number;
  madeAt: number | null;
  action: string;
  names: readonly string[];
}

/** One line that says what the job is. */
export function markerOf(marker: Marker): string {
  return JSON.stringify(marker);
}

function parseMarker(line: string): Marker | null {
  try {
    const value = JSON.parse(line) as Partial<Marker>;
    const { at, madeAt, action, names } = value;
    if (typeof at !== "number" || typeof action !== "string" || !Array.isArray(names)) return null;
    return { at, madeAt: typeof madeAt === "number" ? madeAt : null, action, names: names.map(String) };
  } catch {
    return null;
  }
}

function stateOf({ waits, startedAt, endedAt, results }: KeptJob): ScheduledState {
  if (endedAt !== null) return results.some(({ status }) => status !== 0) ? "failed" : "done";
  if (startedAt !== null) return "running";
  return waits ? "waiting" : "lost";
}

export function scheduledOf(host: string, kept: KeptJob, clock: HostClock | null): ScheduledJob {
  const marker = parseMarker(kept.marker);
  const { id, carrier, startedAt, endedAt, results } = kept;
  return {
    ...{ id, host, carrier, startedAt, endedAt, results, clock, state: stateOf(kept) },
    at: marker?.at ?? 0,
    madeAt: marker?.madeAt ?? null,
    action: (marker?.action ?? "unknown") as ScheduledJob["action"],
    names: marker?.names ?? [],
  };
}
