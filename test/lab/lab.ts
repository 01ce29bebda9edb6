/** What every lab shares: packages, processes ended by their own pid, and the built program run as a user runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { type ProgramOptions, type Running, type RunOptions, run, startProgram } from "../program.ts";
import { openProgram, type TestTerminal } from "../terminal.ts";

export {
  type ProgramRan as VirtuRan,
  projectRoot,
  type Ran,
  type RunOptions,
  run,
  runProgram as virtu,
} from "../program.ts";

/** What is worth keeping from run to run (root file systems, a guest's kernel); safe to delete. */
export const cacheDir = process.env["VIRTU_LAB_CACHE"] ?? "/var/cache/virtu-lab";

// When the runner is killed, its worker would go on; ending it makes the kernel end every daemon that it started.
process.once("disconnect", () => process.exit(1));

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

/** How the program under test is run: on a home of its own, so that nothing of the developer's is read. */
export type VirtuOptions = ProgramOptions & { home: string };

/** Starts `node dist/cli.js ARGS…` without a terminal; ended by `teardown` at the latest. */
export function virtuProcess(teardown: Teardown, args: readonly string[], options: VirtuOptions): Running {
  const running = startProgram(args, { timeoutMs: 600_000, ...options });
  teardown.add(() => running.kill());
  return running;
}

/** Opens `node dist/cli.js ARGS…` in a pseudo-terminal; ended by `teardown` at the latest. */
export function virtuTerminal(
  teardown: Teardown,
  args: readonly string[],
  options: VirtuOptions & { columns?: number; rows?: number },
): TestTerminal {
  const terminal = openProgram(args, options);
  teardown.add(() => terminal.kill("SIGKILL"));
  return terminal;
}
