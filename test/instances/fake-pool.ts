/** A pool without SSH, which answers from a script (recordings mostly). */
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Duplex } from "node:stream";
import { VirtuError } from "../../source/errors.ts";
import type { Command } from "../../source/ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool, PoolEvents, PtyChannel } from "../../source/ssh/types.ts";

export interface Call {
  host: HostRef;
  line: string;
  options: ExecOptions;
}

export type Reply = Partial<ExecResult> | VirtuError;
export type Script = (call: Call) => Reply | Promise<Reply>;

/** Answers each command by the script; remembers what was asked. */
export class ScriptedPool extends EventEmitter<PoolEvents> implements Pool {
  readonly calls: Call[] = [];
  readonly uploads: { host: HostRef; path: string; content: string; mode: number | undefined }[] = [];

  constructor(private readonly script: Script) {
    super();
  }

  async exec(host: HostRef, command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    const call = { host, line: command.line, options };
    this.calls.push(call);
    const reply = await unlessAborted(Promise.resolve(this.script(call)), options.signal);
    if (reply instanceof VirtuError) throw reply;
    const status = reply.outcome && reply.outcome !== "exited" ? null : (reply.status ?? 0);
    const result: ExecResult = {
      outcome: "exited",
      signal: null,
      stdout: "",
      stderr: "",
      truncated: false,
      durationMs: 1,
      ...reply,
      status,
    };
    for (const stream of ["stdout", "stderr"] as const) {
      for (const line of result[stream].split("\n").slice(0, -1)) options.onLine?.(stream, line);
    }
    return result;
  }

  pty(_host: HostRef, _command: Command | null): Promise<PtyChannel> {
    throw new Error("no terminal here");
  }
  async upload(
    host: HostRef,
    content: Uint8Array | { localFile: string },
    path: string,
    options: { mode?: number } = {},
  ): Promise<void> {
    const text = content instanceof Uint8Array ? Buffer.from(content).toString("utf8") : `file ${content.localFile}`;
    this.uploads.push({ host, path, content: text, mode: options.mode });
  }
  /** As a host whose sshd forbids forwarding. */
  forward(host: HostRef, ..._: unknown[]): Promise<Duplex> {
    return Promise.reject(new VirtuError({ kind: "refused", what: "The host forbids forwarding", where: host.name }));
  }
  sessions() {
    return [];
  }
  async reconnect() {}
  close() {}
  async forgetHostKeys() {}
  async end() {}

  /** The command lines that a host got. */
  lines(host?: string): string[] {
    return this.calls.filter((call) => host === undefined || call.host.name === host).map((call) => call.line);
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new VirtuError({ kind: "cancelled", what: "Cancelled" }));
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    work.then(resolve, reject).finally(() => signal?.removeEventListener("abort", cancel));
  });
}

/** One part of a recording in fixtures/. */
export function fixture(program: string, file: string): string {
  return readFileSync(path.join(import.meta.dirname, "../../fixtures", program, file), "utf8");
}

/** A recording as a reply: NAME.stdout, NAME.stderr and NAME.rc. */
export function recorded(program: string, name: string): Partial<ExecResult> {
  return {
    stdout: fixture(program, `${name}.stdout`),
    stderr: fixture(program, `${name}.stderr`),
    status: Number(fixture(program, `${name}.rc`)),
  };
}
