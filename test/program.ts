/** Programs without a terminal, above all the built one as a user starts it. In a terminal: `openProgram` of terminal.ts. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/** Where every runner of tests starts; what is bundled before it runs knows no other way to it. */
export const projectRoot = process.cwd();

/** The built program. */
export const program = path.join(projectRoot, "dist", "cli.js");

export interface RunOptions {
  input?: string;
  /** Added to the environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Default two minutes; then the process is killed and `status` is null. */
  timeoutMs?: number;
}

export interface Ran {
  command: string;
  /** Null when it was ended by a signal. */
  status: number | null;
  stdout: string;
  stderr: string;
  durationMs: number;
}

/** A program under way. */
export interface Running {
  /** Told of each line of stdout as it comes, the earlier ones first. */
  onLine(listener: (line: string) => void): void;
  /** Resolves as soon as stdout or stderr holds it; rejects with all that was printed when it ends before. */
  says(wanted: string | RegExp): Promise<void>;
  /** SIGKILL, as a machine that loses its power does it, or another signal. */
  kill(signal?: NodeJS.Signals): void;
  ended: Promise<Ran>;
}

export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: "SIGKILL",
  });
  const printed = { stdout: "", stderr: "" };
  const listeners: ((line: string) => void)[] = [];
  const watchers = new Set<() => void>();
  const lines: string[] = [];
  let begun = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed.stdout += text;
    const whole = (begun + text).split("\n");
    begun = whole.pop() ?? "";
    for (const line of whole) {
      lines.push(line);
      for (const listener of listeners) listener(line);
    }
    for (const look of watchers) look();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr += text;
    for (const look of watchers) look();
  });
  // A program that ends without reading its input is no error here: its exit status tells.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const durationMs = Math.round(performance.now() - started);
      resolve({ command: [command, ...args].join(" "), status, ...printed, durationMs });
    });
  });
  return {
    onLine(listener) {
      for (const line of lines) listener(line);
      listeners.push(listener);
    },
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const isIn = (text: string) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text));
        const look = () => {
          if (!isIn(printed.stdout) && !isIn(printed.stderr)) return;
          watchers.delete(look);
          resolve();
        };
        // Made here, so that the stack names the test's line.
        const failure = new Error();
        ended.then(({ status, stdout, stderr }) => {
          failure.message = `it ended (status ${status}) without: ${wanted}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
          reject(failure);
        }, reject);
        watchers.add(look);
        look();
      }),
    kill: (signal = "SIGKILL") => void child.kill(signal),
    ended,
  };
}

export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return start(command, args, options).ended;
}

/** How the program under test is run. */
export interface ProgramOptions extends RunOptions {
  /** Passed as `-F`. */
  sshConfig?: string;
  /** Passed as `--config`. Default: a folder of `home`, where there is one. */
  config?: string;
  /** Home of the program, so that nothing of the developer's own is read. */
  home?: string;
  /** Words in front of the program: `nsenter --net=…`. */
  prefix?: readonly string[];
}

/** The words that start the program. */
export function programCommand(
  args: readonly string[],
  { sshConfig, home, config = home && path.join(home, "virtu"), prefix = [] }: ProgramOptions,
): { command: string; args: string[] } {
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build makes it`);
  const ways = [...(sshConfig ? ["-F", sshConfig] : []), ...(config ? ["--config", config] : [])];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const words = [process.execPath, program, ...args.slice(0, end), ...ways, ...args.slice(end)];
  const [command = "", ...others] = [...prefix, ...words];
  return { command, args: others };
}

/** What is added to the environment that it is started in. */
export function programEnvironment({ home, env }: ProgramOptions): Record<string, string | undefined> {
  return {
    ...(home === undefined ? {} : { HOME: home }),
    ...{ SSH_AUTH_SOCK: undefined, TZ: "UTC" },
    // What a test runner sets for itself is not for the program under test.
    ...{ NODE_OPTIONS: undefined, NODE_ENV: undefined, VITEST: undefined },
    ...env,
  };
}

export interface ProgramRan extends Ran {
  /** stdout as one JSON value; a parse failure shows everything that was printed. */
  json<T = unknown>(): T;
  /** stdout as one JSON value a line. */
  records<T = unknown>(): T[];
  /** The error that `--json` prints on stderr. */
  error(): Record<string, unknown>;
}

/** Starts the built program without a terminal. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): Running {
  const words = programCommand(args, options);
  return start(words.command, words.args, { ...options, env: programEnvironment(options) });
}

/** Runs the built program without a terminal, to its end. */
export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramRan> {
  const ran = await startProgram(args, options).ended;
  const parse = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(
        `not JSON: ${ran.command} (status ${ran.status})\n--- stdout\n${ran.stdout}\n--- stderr\n${ran.stderr}`,
      );
    }
  };
  return {
    ...ran,
    json: <T>() => parse(ran.stdout) as T,
    records: <T>() =>
      ran.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => parse(line) as T),
    error: () => (parse(ran.stderr.trim().split("\n").at(-1) ?? "") as { error: Record<string, unknown> }).error,
  };
}
