/**
 * Follows the output of a detached run over losses of the link, from the line where it broke off. Lines are counted, not
 * bytes: what a program prints need not be UTF-8, and then its bytes are no longer known here.
 */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { pause } from "../waiting.ts";
import { followCommand, lookAtRuns, type Place, type RunSnapshot } from "./detached.ts";

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

/** A run as far as it has been read: so many whole lines. */
interface Read<S> {
  state: S;
  lines: number;
}

/** The state after all whole lines of a snapshot. */
export function replay<S>(reader: RunReader<S>, snapshot: RunSnapshot): Read<S> {
  const lines = snapshot.output.split("\n").slice(0, -1);
  const state = lines.reduce((known, line) => reader.line(known, line, null), reader.start(snapshot));
  return { state, lines: lines.length };
}

/** What may be better in a moment; any other error would come again. */
const passing = new Set(["connection", "timeout"]);
/** So often an unreachable host is tried before anything is known of the run. */
const firstTries = 5;

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
  let known: Read<S> | null = null;
  let failures = 0;
  for (;;) {
    try {
      if (known === null || failures > 0) {
        const snapshot = await look();
        if (known === null || vanished(snapshot)) known = replay(reader, snapshot);
        if (failures > 0) onNotice?.("The link is back.");
        failures = 0;
        onUpdate?.(known.state);
        if (vanished(snapshot)) return { state: known.state, vanished: true };
      }
      if (reader.ended(known.state)) return { state: known.state, vanished: false };
      const streamed: { known: Read<S>; end: End | null } = await stream(pool, place, id, reader, known, {
        signal,
        onUpdate,
        quietMs,
        look,
      });
      known = streamed.known;
      if (streamed.end) return { state: known.state, vanished: streamed.end === "vanished" };
      onNotice?.("The link is lost; what runs there goes on.");
    } catch (thrown) {
      const error = toVirtuError(thrown);
      if (signal?.aborted)
        throw new VirtuError({
          kind: "cancelled",
          what: "No longer followed; it goes on by itself",
          where: place.where,
        });
      if (!passing.has(error.kind) || (known === null && failures + 1 >= firstTries)) throw error;
      onNotice?.(`The link is lost: ${error.why ?? error.what}.`);
    }
    failures += 1;
    await pause(Math.min(pauseMs * 2 ** (failures - 1), 15_000), signal);
  }
}

type End = "ended" | "vanished";

/** One connection's worth of output. `end` is null when the link was lost; then `known` is that before the last line. */
async function stream<S>(
  pool: Pool,
  place: Place,
  id: string,
  reader: RunReader<S>,
  from: Read<S>,
  options: { signal?: AbortSignal; onUpdate?: (state: S) => void; quietMs: number; look: () => Promise<RunSnapshot> },
): Promise<{ known: Read<S>; end: End | null }> {
  const stop = new AbortController();
  let known = from;
  let before = known;
  let lastLine = Date.now();
  let end: End | null = null;
  const finish = (how: End) => {
    end ??= how;
    stop.abort();
  };
  const onLine = (channel: "stdout" | "stderr", line: string) => {
    if (channel === "stderr" || end) return;
    lastLine = Date.now();
    before = known;
    known = { state: reader.line(known.state, line, Date.now() / 1000), lines: known.lines + 1 };
    options.onUpdate?.(known.state);
    if (reader.ended(known.state)) finish("ended");
  };
  const timer = setInterval(() => {
    if (Date.now() - lastLine < options.quietMs) return;
    lastLine = Date.now();
    options.look().then(
      (snapshot) => {
        if (end || (!snapshot.ended && snapshot.alive !== false)) return;
        known = replay(reader, snapshot);
        finish(snapshot.ended ? "ended" : "vanished");
      },
      // The link itself is watched by the command below.
      () => undefined,
    );
  }, options.quietMs);
  try {
    const signals = options.signal ? [options.signal, stop.signal] : [stop.signal];
    await pool.exec(place.host, followCommand(place, id, from.lines), {
      signal: AbortSignal.any(signals),
      onLine,
      priority: "poll",
      // Lines are taken as they come; the whole is not wanted again.
      maxBytes: 1,
    });
  } catch (thrown) {
    if (!end && (options.signal?.aborted || !passing.has(toVirtuError(thrown).kind))) throw thrown;
  } finally {
    clearInterval(timer);
  }
  return { known: end ? known : before, end };
}
