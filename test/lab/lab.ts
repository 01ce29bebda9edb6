/** What every lab shares: packages, processes ended by their own pid, and the built program run as a user runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openTerminal, type TestTerminal } from "../terminal.ts";

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The built program; `npm run test:lab` builds it. */
export const program = join(projectRoot, "dist", "cli.js");
/** What is worth keeping from run to run (root file systems, a guest's kernel); safe to delete. */
export const cacheDir = process.env["VIRTU_LAB_CACHE"] ?? "/var/cache/virtu-lab";

// When the runner is killed, its worker would go on; ending it makes the kernel end every daemon that it started.
process.once("disconnect", () => process.exit(1));

export interface RunOptions {
  input?: string;
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

export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A program that ends without reading its input is no error here: its exit status tells.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const durationMs = Math.round(performance.now() - started);
      resolve({ command: [command, ...args].join(" "), status, stdout, stderr, durationMs });
    });
  });
}

/** Like `run`, but anything else than exit status 0 is thrown with everything that was printed. Gives stdout, trimmed. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(command, args, options);
  if (ran.status === 0) return ran.stdout.trim();
  const status = ran.status === null ? "was ended by a signal" : `exit status ${ran.status}`;
  throw new Error(`${ran.command}: ${status}\n${ran.stdout}${ran.stderr}`);
}

/** A POSIX shell script, by `must`. */
export function shell(script: string, options: RunOptions = {}): Promise<string> {
  return must("/bin/sh", ["-euc", script], options);
}

/** Waits for something that gives no event: a daemon's socket, a guest's state. Throws with `what` when it never comes. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${timeoutMs / 1000} s passed without: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Ends what a lab started, last things first, each part even when another fails. */
export class Teardown {
  private readonly parts: (() => unknown)[] = [];

  add(part: () => unknown): void {
    this.parts.push(part);
  }

  /** A directory of its own below /var/tmp, removed at the end. World-readable, so that daemons of other users get in. */
  directory(name: string): string {
    const path = mkdtempSync(`/var/tmp/virtu-lab-${name}-`);
    this.add(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async run(): Promise<void> {
    const problems: unknown[] = [];
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      try {
        await part();
      } catch (thrown) {
        problems.push(thrown);
      }
    }
    if (problems.length > 0) throw new AggregateError(problems, "not everything of the lab could be ended");
  }
}

export interface Daemon {
  readonly pid: number;
  readonly alive: boolean;
  /** Everything it printed. */
  log(): string;
  /** SIGTERM (or another), then SIGKILL when it does not end within `graceMs` (default 5 s). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

/**
 * Starts a process that stays in the foreground, its output in `logFile`. It is ended by `teardown`, and by the kernel
 * when this test process dies, so that an interrupted run leaves nothing behind.
 */
export function daemon(
  teardown: Teardown,
  logFile: string,
  command: string,
  args: readonly string[],
  options: Pick<RunOptions, "env" | "cwd"> = {},
): Daemon {
  mkdirSync(dirname(logFile), { recursive: true });
  const child: ChildProcess = spawn("setpriv", ["--pdeathsig", "KILL", command, ...args], {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const sink = createWriteStream(logFile);
  child.stdout?.pipe(sink, { end: false });
  child.stderr?.pipe(sink, { end: false });
  child.once("error", () => {});
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const alive = () => child.exitCode === null && child.signalCode === null;
  const result: Daemon = {
    pid: child.pid,
    get alive() {
      return alive();
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : ""),
    async stop(signal = "SIGTERM", graceMs = 5000) {
      if (alive()) {
        child.kill(signal);
        const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
        await ended;
        clearTimeout(timer);
      }
      sink.end();
    },
  };
  teardown.add(() => result.stop());
  return result;
}

/** Installs what is missing of these Debian packages; none of their services is started. */
export async function installPackages(...names: string[]): Promise<void> {
  const known = await run("dpkg-query", ["-W", "-f", "$" + "{Package} $" + "{db:Status-Abbrev}\\n", ...names]);
  const installed = new Set([...known.stdout.matchAll(/^(\S+) ii/gm)].map(([, name]) => name));
  const missing = names.filter((name) => !installed.has(name));
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(" ")}`);
  // The policy file keeps every service from being started; one that is there already is left alone.
  const script = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 update -qq
apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@"`;
  mkdirSync(cacheDir, { recursive: true });
  await must("flock", [join(cacheDir, "apt.lock"), "sh", "-euc", script, "sh", ...missing], { timeoutMs: 900_000 });
}

/** A TCP port of the loopback that was free a moment ago. */
export function freePort(address = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** How the program under test is run. */
export interface VirtuOptions extends RunOptions {
  /** Passed as `-F`. */
  sshConfig?: string;
  /** Home, settings and state of the program; nothing of the developer's own is read. */
  home: string;
  /** Words in front of the program: `nsenter --net=…`. */
  prefix?: readonly string[];
}

function virtuCommand(args: readonly string[], options: VirtuOptions): { command: string; args: string[] } {
  const config = options.sshConfig ? ["-F", options.sshConfig] : [];
  const end = args.indexOf("--");
  const own = end < 0 ? [...args] : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end);
  const words = [process.execPath, program, ...own, ...config, "--config", join(options.home, "virtu"), ...rest];
  const [command = "", ...others] = [...(options.prefix ?? []), ...words];
  return { command, args: others };
}

function virtuEnvironment(options: VirtuOptions): Record<string, string | undefined> {
  return { HOME: options.home, SSH_AUTH_SOCK: undefined, TZ: "UTC", NODE_OPTIONS: undefined, ...options.env };
}

export interface VirtuRan extends Ran {
  /** stdout as one JSON value; a parse failure shows everything that was printed. */
  json<T = unknown>(): T;
  /** stdout as one JSON value a line. */
  records<T = unknown>(): T[];
  /** The error that `--json` prints on stderr. */
  error(): Record<string, unknown>;
}

/** Runs `node dist/cli.js ARGS…` without a terminal. */
export async function virtu(args: readonly string[], options: VirtuOptions): Promise<VirtuRan> {
  const words = virtuCommand(args, options);
  const ran = await run(words.command, words.args, { ...options, env: virtuEnvironment(options) });
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

/** The program under way, without a terminal. */
export interface VirtuProcess {
  /** Told of each line of stdout as it comes, the earlier ones first. */
  onLine(listener: (line: string) => void): void;
  /** SIGKILL, as a machine that loses its power does it. */
  kill(): void;
  ended: Promise<Ran>;
}

/** Starts `node dist/cli.js ARGS…` without a terminal; ended by `teardown` at the latest. */
export function virtuProcess(teardown: Teardown, args: readonly string[], options: VirtuOptions): VirtuProcess {
  const words = virtuCommand(args, options);
  const started = performance.now();
  const child = spawn(words.command, words.args, {
    env: { ...process.env, LC_ALL: "C.UTF-8", ...virtuEnvironment(options) },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 600_000,
    killSignal: "SIGKILL",
  });
  teardown.add(() => child.kill("SIGKILL"));
  const listeners: ((line: string) => void)[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const listener of listeners) listener(line);
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const durationMs = Math.round(performance.now() - started);
      const command = [words.command, ...words.args].join(" ");
      resolve({ command, status, stdout: lines.map((line) => `${line}\n`).join(""), stderr, durationMs });
    });
  });
  return {
    onLine(listener) {
      for (const line of lines) listener(line);
      listeners.push(listener);
    },
    kill: () => void child.kill("SIGKILL"),
    ended,
  };
}

/** Opens `node dist/cli.js ARGS…` in a pseudo-terminal; ended by `teardown` at the latest. */
export function virtuTerminal(
  teardown: Teardown,
  args: readonly string[],
  options: VirtuOptions & { columns?: number; rows?: number },
): TestTerminal {
  const { columns, rows, cwd } = options;
  const terminal = openTerminal({ ...virtuCommand(args, options), columns, rows, cwd, env: virtuEnvironment(options) });
  teardown.add(() => terminal.kill("SIGKILL"));
  return terminal;
}
