/** Broadcasts through TakTuk on the frontend: requests of one moment with one command become one TakTuk. */
import os from "node:os";
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { ExecResult, HostRef, Pool } from "../ssh/types.ts";
import { parseTaktukLine, taktukCommand } from "../tools/taktuk.ts";
import type { PlanNode } from "./plan.ts";
import type { Broadcast, BroadcastOptions } from "./run-broadcast.ts";

export interface TaktukOptions {
  /** Every connection is made by the frontend (default); else nodes connect further nodes. */
  flat?: boolean;
  /** Seconds for one connection (default 10). */
  connectSeconds?: number;
  /** So long requests of one batch are gathered (default 50 ms). */
  gatherMs?: number;
  /** What TakTuk calls a node: its name. */
  hostOf?: (node: PlanNode) => string;
  user?: string;
}

/** Signal names by number. */
const signals = new Map(Object.entries(os.constants.signals).map(([name, number]) => [number, name.slice(3)]));

/** One node's part in a TakTuk. */
interface Part {
  node: PlanNode;
  options: BroadcastOptions;
  began: number;
  stdout: string[];
  stderr: string[];
  bytes: number;
  truncated: boolean;
  end: Pick<ExecResult, "outcome" | "status" | "signal"> | null;
  /** What ssh said last of its connection. */
  said: string;
  settled: boolean;
  resolve(result: ExecResult): void;
  reject(error: unknown): void;
}

interface Group {
  command: Command;
  stdin: BroadcastOptions["stdin"];
  parts: Part[];
}

const usualBytes = 16 << 20;

export function taktukBroadcast(pool: Pool, frontend: HostRef, settings: TaktukOptions = {}): Broadcast {
  const { flat = true, connectSeconds = 10, gatherMs = 50, hostOf = ({ name }) => name, user = "root" } = settings;
  const waiting = new Map<string, Group>();
  const stops = new Set<AbortController>();
  const timers = new Set<NodeJS.Timeout>();

  const alone = ({ node, options }: Part, command: Command) => {
    const { batch: _, ...rest } = options;
    return pool.exec(node.host, command, rest);
  };

  const send = async ({ command, stdin, parts }: Group) => {
    const open = parts.filter(({ settled }) => !settled);
    const hosts = open.map(({ node }) => hostOf(node));
    const line =
      open.length > 1 ? taktukCommand({ hosts, user, command, stdin: stdin ?? null, flat, connectSeconds }) : null;
    if (line === null) {
      // One node, or more text than a command line takes.
      for (const part of open) alone(part, command).then(part.resolve, part.reject);
      return;
    }
    const byHost = new Map(open.map((part) => [hostOf(part.node), part]));
    const stop = new AbortController();
    stops.add(stop);
    const offs = open.map((part) => watch(part, () => open.every(({ settled }) => settled) && stop.abort()));
    try {
      const limits = open.map(({ options }) => options.timeoutMs);
      const longest = limits.every((limit) => limit !== undefined) ? Math.max(...(limits as number[])) : undefined;
      const result = await pool.exec(frontend, line, {
        signal: stop.signal,
        timeoutMs: longest === undefined ? undefined : longest + connectSeconds * 2000,
        priority: open[0]?.options.priority,
        // Lines are taken as they come.
        maxBytes: 64 << 10,
        onLine: (stream, text) => {
          if (stream === "stdout") take(byHost, text);
        },
      });
      // A host of which no end was told is lost, whatever the exit status: that is always 0.
      const outcome = result.outcome === "timeout" ? "timeout" : "lost";
      if (/taktuk: (?:command )?not found/.test(result.stderr)) {
        const error = new VirtuError({
          kind: "failed",
          what: "There is no taktuk on the frontend",
          where: frontend.name,
        });
        for (const part of open) fail(part, error);
      }
      for (const part of open) settle(part, part.end ?? { outcome, status: null, signal: null });
    } catch (thrown) {
      for (const part of open) fail(part, thrown);
    } finally {
      stops.delete(stop);
      for (const off of offs) off();
    }
  };

  return {
    engine: "taktuk",
    exec: (node, command, options) =>
      new Promise<ExecResult>((resolve, reject) => {
        if (options.signal?.aborted) {
          reject(cancelled(node));
          return;
        }
        const part: Part = {
          ...{ node, options, began: Date.now(), stdout: [], stderr: [], bytes: 0, truncated: false },
          ...{ end: null, said: "", settled: false, resolve, reject },
        };
        const key = JSON.stringify([options.batch, command.line, options.stdin ?? null]);
        const group = waiting.get(key);
        if (group) {
          group.parts.push(part);
          return;
        }
        const fresh = { command, stdin: options.stdin, parts: [part] };
        waiting.set(key, fresh);
        const timer = setTimeout(() => {
          timers.delete(timer);
          waiting.delete(key);
          void send(fresh);
        }, gatherMs);
        timers.add(timer);
      }),
    end: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const { parts } of waiting.values()) for (const part of parts) fail(part, cancelled(part.node));
      waiting.clear();
      for (const stop of stops) stop.abort();
    },
  };
}

const cancelled = (node: PlanNode) => new VirtuError({ kind: "cancelled", what: "Cancelled", where: node.name });

function settle(part: Part, end: Pick<ExecResult, "outcome" | "status" | "signal">): void {
  if (part.settled) return;
  part.settled = true;
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  const stderr = end.outcome === "lost" && part.said !== "" ? [...part.stderr, part.said] : part.stderr;
  const { truncated, began } = part;
  part.resolve({ ...end, stdout: text(part.stdout), stderr: text(stderr), truncated, durationMs: Date.now() - began });
}

function fail(part: Part, thrown: unknown): void {
  if (part.settled) return;
  part.settled = true;
  part.reject(thrown);
}

/** Ends a part by its own signal or limit; `done` is told when that was. */
function watch(part: Part, done: () => void): () => void {
  const { signal, timeoutMs } = part.options;
  const abort = () => {
    fail(part, cancelled(part.node));
    done();
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  const late = () => {
    settle(part, { outcome: "timeout", status: null, signal: null });
    done();
  };
  const timer = timeoutMs === undefined ? null : setTimeout(late, timeoutMs);
  return () => {
    signal?.removeEventListener("abort", abort);
    if (timer) clearTimeout(timer);
  };
}

function keep(part: Part, stream: "stdout" | "stderr", text: string): void {
  part.options.onLine?.(stream, text);
  part.bytes += text.length + 1;
  if (part.bytes > (part.options.maxBytes ?? usualBytes)) part.truncated = true;
  else part[stream].push(text);
}

function take(byHost: ReadonlyMap<string, Part>, text: string): void {
  const line = parseTaktukLine(text);
  const part = line && byHost.get(line.host);
  if (!part || part.settled) return;
  switch (line.kind) {
    case "output":
    case "error":
      keep(part, line.kind === "output" ? "stdout" : "stderr", line.text);
      return;
    case "exit": {
      const signal = line.signal === null ? null : (signals.get(line.signal) ?? String(line.signal));
      part.end = { outcome: signal === null ? "exited" : "signalled", status: line.status, signal };
      return;
    }
    case "over":
      if (part.end) settle(part, part.end);
      return;
    case "connection":
      part.said = line.text;
      if (line.closed) settle(part, { outcome: "lost", status: null, signal: null });
      return;
    case "unreachable":
      fail(
        part,
        new VirtuError({
          kind: "connection",
          what: "The frontend can't reach the node",
          where: part.node.name,
          why: part.said || "ssh could not connect",
        }),
      );
  }
}

/** Why TakTuk can't be used there, or null. One round trip. */
export async function taktukRefusal(pool: Pool, frontend: HostRef, node: string): Promise<string | null> {
  const probe = sh`command -v taktuk > /dev/null || exit 93
ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10 ${`root@${node}`} true < /dev/null > /dev/null 2>&1 || exit 94`;
  try {
    const { outcome, status } = await pool.exec(frontend, probe, { timeoutMs: 20_000 });
    if (outcome === "exited" && status === 0) return null;
    if (status === 93) return `taktuk isn't installed on ${frontend.name}`;
    return status === 94
      ? `${frontend.name} can't log in on ${node} as root by itself`
      : `${frontend.name} did not answer`;
  } catch {
    return `${frontend.name} can't be reached`;
  }
}
