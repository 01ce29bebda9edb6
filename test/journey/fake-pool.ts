/** A pool that answers from a script: which command line gets which results, in order. Nothing leaves the process. */
import { EventEmitter } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { VirtuError } from "../../source/errors.ts";
import type { Command } from "../../source/ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool, PoolEvents } from "../../source/ssh/types.ts";

/** Text is standard output with status 0; an error is thrown as the pool throws it. */
export type Reply = string | Partial<ExecResult> | VirtuError | ((line: string, options: ExecOptions) => Reply);

export interface Ran {
  host: string;
  line: string;
  options: ExecOptions;
}

interface Rule {
  match: string | RegExp;
  replies: Reply[];
}

export class FakePool extends EventEmitter<PoolEvents> implements Pool {
  /** Every command, in order. */
  readonly ran: Ran[] = [];
  private readonly rules: Rule[] = [];

  /** Commands that contain the text (or match) get these replies one after the other; the last one stays. Later rules go first. */
  answer(match: string | RegExp, ...replies: [Reply, ...Reply[]]): this {
    this.rules.unshift({ match, replies });
    return this;
  }

  /** How often a command that contains the text ran. */
  count(match: string): number {
    return this.ran.filter(({ line }) => line.includes(match)).length;
  }

  async exec(host: HostRef, command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    if (options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    const { line } = command;
    this.ran.push({ host: host.name, line, options });
    const rule = this.rules.find(({ match }) => (typeof match === "string" ? line.includes(match) : match.test(line)));
    if (!rule) throw new Error(`nobody said what to answer to: ${line}`);
    let reply: Reply | undefined = rule.replies.length > 1 ? rule.replies.shift() : rule.replies[0];
    while (typeof reply === "function") reply = reply(line, options);
    if (reply instanceof VirtuError) throw reply;
    const given = typeof reply === "string" ? { stdout: reply } : reply;
    const result: ExecResult = {
      outcome: "exited",
      status: given?.outcome && given.outcome !== "exited" ? null : 0,
      signal: null,
      stdout: "",
      stderr: "",
      truncated: false,
      durationMs: 1,
      ...given,
    };
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = result[stream].split("\n");
      if (lines.at(-1) === "") lines.pop();
      for (const text of lines) options.onLine?.(stream, text);
    }
    return result;
  }

  pty(): never {
    throw new Error("no terminals in this pool");
  }
  upload(): never {
    throw new Error("no uploads in this pool");
  }
  forward(): never {
    throw new Error("no forwarding in this pool");
  }
  sessions(): readonly [] {
    return [];
  }
  async reconnect(): Promise<void> {}
  close(): void {}
  async forgetHostKeys(): Promise<void> {}
  async end(): Promise<void> {}
}

/** A recording of `fixtures/`, by its path without the ending: `oar/oardel-ok`. */
export function recorded(name: string): { stdout: string; stderr: string; status: number } {
  const file = (ending: string) => new URL(`../../fixtures/${name}.${ending}`, import.meta.url);
  const text = (ending: string) => (existsSync(file(ending)) ? readFileSync(file(ending), "utf8") : "");
  if (!existsSync(file("stdout"))) throw new Error(`there is no recording ${name}`);
  return { stdout: text("stdout"), stderr: text("stderr"), status: Number(text("rc").trim() || 0) };
}

/** What the link does when it breaks in the middle of a command. */
export const lost: Partial<ExecResult> = { outcome: "lost", status: null };

/** What the pool throws when a host can't be reached. */
export function unreachable(host = "frontend"): VirtuError {
  return new VirtuError({
    kind: "connection",
    what: "The host can't be reached",
    where: host,
    why: "connection refused",
  });
}
