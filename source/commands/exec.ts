/** `virtu exec`: one command on many hosts, each answered for by itself. */
import type { Command } from "commander";
import { type ErrorFacts, toVirtuError, VirtuError } from "../errors.ts";
import { userLine } from "../ssh/command.ts";
import type { ExecResult } from "../ssh/types.ts";
import { count } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { hostNames, wholeOption } from "./hosts.ts";
import { collect, type ExitStatus, exit, run, type Session, withChange } from "./run.ts";

interface ExecFlags {
  hosts?: string[];
  host?: string[];
  timeout?: string;
  parallel?: string;
}

/** One line of the output with `--json`; these keys stay. */
interface HostRecord {
  host: string;
  /** Exit status, or null when there is none. */
  status: number | null;
  /** Name of the signal that ended it, without SIG. */
  signal: string | null;
  /** true: it is not known whether the command ran, or how it ended. */
  lost: boolean;
  stdout: string;
  stderr: string;
  durationMs: number;
  /** Why there is no status, or null. */
  error: ErrorFacts | null;
}

const details = `
COMMAND is one shell line for the login shell of each host: several words are joined by blanks, as ssh does, so
quote what the remote shell must read as one word. Standard input is empty.

With --json there is one JSON object a line, written as each host ends:
  {host, status, signal, lost, stdout, stderr, durationMs, error}
A host that can't be reached, or whose connection breaks, has status null and lost true; one that ran out of time has
status null and an error of kind "timeout".

Exit status: 0 the command gave 0 on every host, 1 on none, 3 on some, 2 usage.

Example: virtu exec --hosts node-1,node-2 --timeout 60 -- 'systemctl is-active ssh'`;

const defaultParallel = 32;

export function declare(program: Command): void {
  withChange(
    program
      .command("exec")
      .description("Runs a command on many hosts, at the same time.")
      .argument("<command...>", "shell line to run, after --")
      .option("--hosts <hosts>", "hosts that ssh knows: a,b,c", collect)
      .option("--host <host>", "one more host; repeatable", collect)
      .option("--timeout <seconds>", "end the command on a host when it has run this long")
      .option("--parallel <number>", `hosts at the same time (default: ${defaultParallel})`),
  )
    .addHelpText("after", details)
    .action((words: string[], options: unknown, command: Command) =>
      run((session) => exec(session, words, command.optsWithGlobals()))(options, command),
    );
}

async function exec(session: Session, words: string[], flags: ExecFlags): Promise<ExitStatus> {
  const hosts = hostNames([...(flags.hosts ?? []), ...(flags.host ?? [])]);
  if (hosts.length === 0) {
    throw new VirtuError({ kind: "usage", what: "No host is named", where: "--hosts", hint: "Add --hosts a,b,c." });
  }
  const line = words.join(" ");
  if (line.trim() === "") {
    throw new VirtuError({ kind: "usage", what: "The command is empty", where: "COMMAND", hint: "Write it after --." });
  }
  const seconds = wholeOption("--timeout", flags.timeout);
  const parallel = wholeOption("--parallel", flags.parallel) ?? defaultParallel;
  const { out } = session;
  if (session.globals.dryRun) {
    for (const host of hosts) out.record({ host, command: line }, `${host}: ${line}`);
    return exit.done;
  }
  let good = 0;
  let misnamed = 0;
  const waiting = [...hosts];
  const worker = async () => {
    for (let host = waiting.shift(); host !== undefined && !session.signal.aborted; host = waiting.shift()) {
      const record = await onHost(session, host, line, seconds);
      if (record.status === 0) good += 1;
      if (record.error?.kind === "usage") misnamed += 1;
      out.record(record, text(record));
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, hosts.length) }, worker));
  if (session.signal.aborted) throw cancelled();
  if (hosts.length > 1) out.note(`${good} of ${count(hosts.length, "host")} gave 0`);
  if (good === hosts.length) return exit.done;
  if (misnamed === hosts.length) return exit.usage;
  return good === 0 ? exit.failed : exit.some;
}

async function onHost(session: Session, host: string, line: string, seconds: number | undefined): Promise<HostRecord> {
  const since = performance.now();
  try {
    const timeoutMs = seconds === undefined ? undefined : seconds * 1000;
    const result = await session.app.pool.exec({ name: host }, userLine(line), { signal: session.signal, timeoutMs });
    const { status, signal, stdout, stderr } = result;
    const lost = result.outcome === "lost";
    return {
      host,
      status,
      signal,
      lost,
      stdout,
      stderr,
      durationMs: Math.round(result.durationMs),
      error: problem(host, result, seconds),
    };
  } catch (thrown) {
    const error = toVirtuError(thrown);
    // A usage error of one host must not hide what the others answer.
    const durationMs = Math.round(performance.now() - since);
    return { host, status: null, signal: null, lost: true, stdout: "", stderr: "", durationMs, error: error.toJSON() };
  }
}

function problem(host: string, result: ExecResult, seconds: number | undefined): ErrorFacts | null {
  if (result.truncated) {
    return { kind: "failed", what: "The output is not complete", where: host, why: "it was longer than virtu keeps" };
  }
  if (result.outcome === "timeout") {
    const why = `it was ended after ${seconds} s`;
    return { kind: "timeout", what: "The command took too long", where: host, why };
  }
  if (result.outcome === "lost") {
    const why = "the connection broke before the command's status came";
    const hint = "It may or may not have done its work: look before you run it again.";
    return { kind: "connection", what: "Nobody knows how the command ended", where: host, why, hint };
  }
  return null;
}

function text(record: HostRecord): string {
  const { status, signal, error } = record;
  const ending =
    status !== null ? `status ${status}` : signal !== null ? `ended by ${signal}` : (error?.what ?? "lost");
  const lines = [`${record.host}: ${ending} (${(record.durationMs / 1000).toFixed(1)} s)`];
  for (const stream of [record.stdout, record.stderr]) {
    if (stream !== "")
      lines.push(
        ...stream
          .replace(/\n$/, "")
          .split("\n")
          .map((one) => `  ${one}`),
      );
  }
  if (error) {
    for (const [name, said] of [
      ["why", error.why],
      ["do", error.hint],
    ] as const)
      if (said) lines.push(`  ${name}: ${said}`);
    if (error.detail)
      lines.push(
        ...error.detail
          .trimEnd()
          .split("\n")
          .map((one) => `  | ${one}`),
      );
  }
  return lines.join("\n");
}
