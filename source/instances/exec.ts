/** Runs a provider's command and turns everything that is no answer into an error that says where and what. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool } from "../ssh/types.ts";

export interface Answer {
  status: number;
  stdout: string;
  stderr: string;
}

/** The answer of a command that ended by itself. `what` names the undertaking: `reading the instances`. */
export async function ask(
  pool: Pool,
  host: HostRef,
  command: Command,
  what: string,
  options: ExecOptions = {},
): Promise<Answer> {
  const result = await pool.exec(host, command, options);
  if (result.outcome === "exited" && result.status !== null && !result.truncated) {
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
  }
  throw unanswered(result, host, what);
}

function unanswered(result: ExecResult, host: HostRef, what: string): VirtuError {
  const where = host.name;
  const detail = result.stderr.trim() || undefined;
  if (result.outcome === "lost") {
    return new VirtuError({ kind: "connection", what: `The connection broke while ${what}`, where, detail });
  }
  if (result.outcome === "timeout") {
    return new VirtuError({ kind: "timeout", what: `No answer in time while ${what}`, where, detail });
  }
  if (result.truncated) {
    return new VirtuError({ kind: "unparsed", what: `The answer was too long while ${what}`, where });
  }
  return new VirtuError({
    kind: "failed",
    what: `The command was killed while ${what}`,
    where,
    why: `signal ${result.signal}`,
    detail,
  });
}
