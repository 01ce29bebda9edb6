/** The built program in a pseudo-terminal, watched for the moment at which bytes arrive: no emulator in between that costs time of its own. */
import { readFileSync } from "node:fs";
import pty from "@lydell/node-pty";
import { programCommand, programEnvironment } from "../program.ts";
import { environment } from "../terminal.ts";

/** The end of a frame: the painter writes each in a synchronised update. */
const frameEnd = "\u001b[?2026l";

export interface Watched {
  pid: number;
  /** All that was written so far. */
  raw(): string;
  /** Resolves with the milliseconds since `since` (performance.now) as soon as `found` is true of what was written. */
  until(found: (raw: string) => boolean, since: number, limitMs?: number): Promise<number>;
  /**
   * Types, and resolves with the milliseconds until a frame has been drawn that this caused; `shown`: one with this text in
   * it, where a frame of something else may come before.
   */
  answered(typed: string, shown?: string): Promise<number>;
  type(typed: string): void;
  /** Milliseconds that its main thread has been on a CPU, whatever else the machine does; null where there is no /proc. */
  cpu(): number | null;
  /** Resident memory in MiB now and at its highest, or null where there is no /proc. */
  memory(): { now: number; peak: number } | null;
  end(): Promise<void>;
}

export function watch(args: readonly string[], { columns = 80, rows = 24 } = {}): Watched {
  const own = programCommand(args, {});
  const child = pty.spawn(own.command, own.args, {
    ...{ name: "xterm-256color", cols: columns, rows },
    env: environment(programEnvironment({})),
  });
  let raw = "";
  const watchers = new Set<() => void>();
  child.onData((data) => {
    raw += data;
    for (const watcher of [...watchers]) watcher();
  });
  const exit = new Promise<void>((resolve) => child.onExit(() => resolve()));

  const until: Watched["until"] = (found, since, limitMs = 60_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watchers.delete(look);
        reject(new Error(`nothing of the kind within ${limitMs} ms; the end of what was drawn: ${raw.slice(-2000)}`));
      }, limitMs);
      const look = () => {
        if (!found(raw)) return;
        clearTimeout(timer);
        watchers.delete(look);
        resolve(performance.now() - since);
      };
      watchers.add(look);
      look();
    });
  return {
    pid: child.pid,
    raw: () => raw,
    until,
    answered(typed, shown = frameEnd) {
      const from = raw.length;
      const since = performance.now();
      child.write(typed);
      return until((all) => all.includes(shown, from), since, 10_000);
    },
    type: (typed) => child.write(typed),
    cpu() {
      try {
        const [nanoseconds] = readFileSync(`/proc/${child.pid}/task/${child.pid}/schedstat`, "utf8").split(" ");
        return Number(nanoseconds) / 1e6;
      } catch {
        return null;
      }
    },
    memory() {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
        return { now: kib("VmRSS") / 1024, peak: kib("VmHWM") / 1024 };
      } catch {
        return null;
      }
    },
    async end() {
      child.kill("SIGTERM");
      await exit;
    },
  };
}

/** The frames that were drawn, in order. */
export function framesOf(raw: string): string[] {
  return raw.split(frameEnd).slice(0, -1);
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
