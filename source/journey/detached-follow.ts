/** Follows the output of a detached run over losses of the link, from the byte where it broke off. */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { followCommand, lookAtRuns, type Place, type RunSnapshot } from "./detached.ts";
import { pause } from "./detached-exec.ts";

/** How the lines of a run are understood: a pure reducer, so that a line cut off by a lost link can be taken back. */
export interface RunReader<S> {
  start(snapshot: RunSnapshot): S;
  /** `atSeconds`: epoch seconds here when the line came; null when it is read again later. */
  line(state: S, line: string, atSeconds: number | null): S;
  ended(state: S): boolean;
}

export interface FollowRunOptions<S> {
  signal?: AbortSignal;
  onUpdate?: (state: S) => void;
  /** What happens to the link meanwhile, a sentence at a time. */
  onNotice?: (text: string) => void;
  /** First pause before a lost link is tried again (default 1000 ms); it doubles up to 15 s. */
  pauseMs?: number;
  /** After so long without a line the run is asked whether it lives (default 30 s). */
  quietMs?: number;
}

export interface Followed<S> {
  state: S;
  /** It ended without saying so: killed, or its host was restarted. */
  vanished: boolean;
}

/** The state after all whole lines of a snapshot, and their length in bytes; null when bytes can't be counted (not UTF-8). */
export function replay<S>(reader: RunReader<S>, snapshot: RunSnapshot): { state: S; offset: number | null } {
  const whole = snapshot.output.slice(0, snapshot.output.lastIndexOf("\n") + 1);
  let state = reader.start(snapshot);
  for (const line of whole.split("\n").slice(0, -1)) state = reader.line(state, line, null);
  return { state, offset: whole.includes("\ufffd") ? null : Buffer.byteLength(whole) };
}

const lasting = new Set(["authentication", "host-key", "usage", "cancelled", "unparsed"]);

/** Follows a run to its end. Rejects as `cancelled` when the signal stops it; the run itself goes on. */
export async function followRun<S>(
  pool: Pool,
  place: Place,
  id: string,
  reader: RunReader<S>,
  files: readonly string[],
  options: FollowRunOptions<S> = {},
): Promise<Followed<S>> {
  const { signal, onUpdate, onNotice, pauseMs = 1000, quietMs = 30_000 } = options;
  const look = async (): Promise<RunSnapshot> => {
    const [snapshot] = await lookAtRuns(pool, place, { id }, files, { signal });
    if (snapshot) return snapshot;
    throw new VirtuError({ kind: "usage", what: `There is no run ${id}`, where: place.where });
  };
  const vanished = (snapshot: RunSnapshot) => !snapshot.ended && snapshot.alive === false;
  let known: { state: S; offset: number | null } | null = null;
  let failures = 0;
  for (;;) {
    try {
      if (known === null || known.offset === null || failures > 0) {
        const snapshot = await look();
        const again = replay(reader, snapshot);
        if (known === null || known.offset === null || vanished(snapshot)) known = again;
        if (failures > 0) onNotice?.("The link is back.");
        failures = 0;
        onUpdate?.(known.state);
        if (vanished(snapshot)) return { state: known.state, vanished: true };
      }
      if (reader.ended(known.state)) return { state: known.state, vanished: false };
      const from: { state: S; offset: number | null } = known;
      const streamed = await stream(
        pool,
        place,
        id,
        reader,
        { ...from, offset: from.offset ?? 0 },
        { signal, onUpdate, quietMs, look },
      );
      known = streamed.known;
      if (streamed.end) return { state: known.state, vanished: streamed.end === "vanished" };
    } catch (thrown) {
      const error = toVirtuError(thrown);
      if (signal?.aborted)
        throw new VirtuError({
          kind: "cancelled",
          what: "No longer followed; it goes on by itself",
          where: place.where,
        });
      if (lasting.has(error.kind)) throw error;
      onNotice?.(`The link is lost: ${error.why ?? error.what}.`);
    }
    failures += 1;
    await pause(Math.min(pauseMs * 2 ** (failures - 1), 15_000), signal);
  }
}

/** One connection's worth of output. `end` is null when the link was lost; then `known` is that before the last line. */
async function stream<S>(
  pool: Pool,
  place: Place,
  id: string,
  reader: RunReader<S>,
  from: { state: S; offset: number },
  options: { signal?: AbortSignal; onUpdate?: (state: S) => void; quietMs: number; look: () => Promise<RunSnapshot> },
): Promise<{ known: { state: S; offset: number | null }; end: "ended" | "vanished" | null }> {
  const stop = new AbortController();
  let known: { state: S; offset: number | null } = from;
  let before = known;
  let lastLine = Date.now();
  let end: "ended" | "vanished" | null = null;
  const finish = (how: "ended" | "vanished") => {
    end ??= how;
    stop.abort();
  };
  const onLine = (channel: "stdout" | "stderr", line: string) => {
    if (channel === "stderr" || end) return;
    lastLine = Date.now();
    before = known;
    const countable = known.offset !== null && !line.includes("\ufffd");
    known = {
      state: reader.line(known.state, line, Date.now() / 1000),
      offset: countable && known.offset !== null ? known.offset + Buffer.byteLength(line) + 1 : null,
    };
    options.onUpdate?.(known.state);
    if (reader.ended(known.state)) finish("ended");
  };
  const timer = setInterval(() => {
    if (Date.now() - lastLine < options.quietMs) return;
    lastLine = Date.now();
    options.look().then(
      (snapshot) => {
        if (end || snapshot.ended || snapshot.alive !== false) return;
        known = replay(reader, snapshot);
        finish("vanished");
      },
      // The link itself is watched by the command below.
      () => undefined,
    );
  }, options.quietMs);
  try {
    const signals = options.signal ? [options.signal, stop.signal] : [stop.signal];
    await pool.exec(place.host, followCommand(place, id, from.offset), {
      signal: AbortSignal.any(signals),
      onLine,
      priority: "poll",
      // Lines are taken as they come; the whole is not wanted again.
      maxBytes: 1,
    });
  } catch (thrown) {
    if (!end && (options.signal?.aborted || lasting.has(toVirtuError(thrown).kind))) throw thrown;
  } finally {
    clearInterval(timer);
  }
  return { known: end ? known : before, end };
}
