/** What every headless command shares: globals, output, confirmation, exit status. */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { App } from "../app.ts";
import { openApp } from "../app.ts";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Asker } from "../ssh/types.ts";
import { plain } from "../text.ts";

/** Exit statuses, as documented in `--help`. */
export const exit = { done: 0, failed: 1, usage: 2, some: 3 } as const;
export type ExitStatus = (typeof exit)[keyof typeof exit];

export interface Globals {
  json: boolean;
  yes: boolean;
  dryRun: boolean;
  sshConfig?: string;
  config?: string;
}

export interface Session {
  app: App;
  globals: Globals;
  /** Aborted by Ctrl-C; a second one ends the program at once. */
  signal: AbortSignal;
  out: Output;
}

/** Where a command writes: results to stdout, everything about the way there to stderr. */
export interface Output {
  /** The result: one JSON value with `--json`, else these lines. */
  result(value: unknown, lines: readonly string[]): void;
  /** One record of a stream of results: a JSON line with `--json`, else this text. */
  record(value: unknown, text: string): void;
  /** What happens now; silent with `--json`. */
  note(text: string): void;
}

function output(json: boolean): Output {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  return {
    result: (value, lines) => {
      if (json) line(JSON.stringify(value, null, 2));
      else for (const text of lines) line(plain(text));
    },
    record: (value, text) => line(json ? JSON.stringify(value) : plain(text)),
    note: (text) => {
      if (!json) process.stderr.write(`${plain(text)}\n`);
    },
  };
}

/** Prints an error as `--json` or as people read it, and gives the exit status that belongs to it. */
export function reportError(thrown: unknown, json: boolean): ExitStatus {
  const error = toVirtuError(thrown);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
  } else {
    const lines = [`virtu: ${error.where ? `${error.where}: ` : ""}${error.what}`];
    if (error.why) lines.push(`  why: ${error.why}`);
    if (error.hint) lines.push(`  do:  ${error.hint}`);
    if (error.detail)
      lines.push(
        ...error.detail
          .trimEnd()
          .split("\n")
          .map((text) => `  | ${text}`),
      );
    process.stderr.write(`${plain(lines.join("\n"))}\n`);
  }
  return error.kind === "usage" ? exit.usage : exit.failed;
}

/** Nobody is asked for a secret without a screen; an unknown host key follows StrictHostKeyChecking inside the pool. */
const headlessAsker: Asker = {
  secret: async () => null,
  hostKey: async () => "no",
};

export type Action<A extends unknown[]> = (session: Session, ...args: A) => Promise<ExitStatus>;

/**
 * Wraps a command's body: opens the app, turns Ctrl-C into an AbortSignal, reports errors, closes sessions, sets the
 * exit status. `--dry-run` reaches the body as `globals.dryRun`.
 */
export function run<A extends unknown[]>(action: Action<A>): (...args: [...A, unknown, Command]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    const globals = globalsOf(command);
    const abort = new AbortController();
    const onInterrupt = () => {
      if (abort.signal.aborted) process.exit(130);
      abort.abort();
    };
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onInterrupt);
    let app: App | null = null;
    try {
      app = await openApp({ configDir: globals.config, sshConfig: globals.sshConfig, asker: headlessAsker });
      if (app.settings.problem) throw app.settings.problem;
      const body = args.slice(0, -2) as unknown as A;
      process.exitCode = await action({ app, globals, signal: abort.signal, out: output(globals.json) }, ...body);
    } catch (thrown) {
      process.exitCode = abort.signal.aborted ? 130 : reportError(thrown, globals.json);
    } finally {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onInterrupt);
      await app?.end();
    }
  };
}

function globalsOf(command: Command): Globals {
  const options = command.optsWithGlobals() as Record<string, unknown>;
  return {
    json: options["json"] === true,
    yes: options["yes"] === true,
    dryRun: options["dryRun"] === true,
    sshConfig: options["sshConfig"] as string | undefined,
    config: options["config"] as string | undefined,
  };
}

/**
 * Asks before something is lost. `--yes` answers yes; without it and without a terminal the command is refused, so that
 * a script never destroys by accident. `typed` must be typed instead of a yes, for what can't be had back.
 */
export async function confirm(
  session: Session,
  question: string,
  losses: readonly string[],
  typed?: string,
): Promise<void> {
  if (session.globals.yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new VirtuError({
      kind: "usage",
      what: question.replace(/\?$/, " needs a yes"),
      why: "there is no terminal to ask on",
      hint: "Add --yes if that is what you want, or --dry-run to see what would run.",
      detail: losses.join("\n"),
    });
  }
  for (const loss of losses) process.stderr.write(`  ${plain(loss)}\n`);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const wanted = typed === undefined ? "[y/N]" : `Type ${plain(typed)} to go on:`;
    const answer = (await reader.question(`${plain(question)} ${wanted} `, { signal: session.signal })).trim();
    if (typed === undefined ? !/^y(es)?$/i.test(answer) : answer !== typed)
      throw new VirtuError({ kind: "cancelled", what: "Nothing was done" });
  } finally {
    reader.close();
  }
}

/** `--json`, for every command that prints a result. */
export function withJson(command: Command): Command {
  return command.option("--json", "print the result as JSON on stdout, errors as JSON on stderr");
}

/** `--json`, `--dry-run` and `--yes`, for every command that changes something. */
export function withChange(command: Command): Command {
  return withJson(command)
    .option("--dry-run", "print the exact remote commands and do nothing")
    .option("-y, --yes", "don't ask before something is lost");
}

/** `--site S`, for every command that talks to a frontend. */
export function withSite(command: Command): Command {
  return command.requiredOption("--site <site>", "a site of the settings, or any host that ssh knows");
}

/** Collects a repeatable option. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
