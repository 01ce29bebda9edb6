/** A simulated host: its files, its processes, and the programs that can be started on it. */
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { FileSystem } from "./files.ts";
import { BrokenPipe, NullFile, type OpenFile } from "./open-file.ts";
import { type Exit, Killed, Process } from "./process.ts";

/** What a program is given; what it returns is its exit status. */
export interface Call {
  process: Process;
  machine: Machine;
  /** As it was called. */
  name: string;
  /** Without the name. */
  args: string[];
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
}

export type Program = (call: Call) => Promise<number> | number;

export interface Account {
  name: string;
  home: string;
  uid: number;
}

export interface SpawnOptions {
  user: string;
  title: string;
  env?: Map<string, string>;
  directory?: string;
  /** Taken over: closed when the process ends. */
  files: Map<number, OpenFile>;
  parent?: Process;
  /** Leads a session and a group of its own. */
  newSession?: boolean;
}

/** Ends the process from within: the shell's `exit`. */
export class ExitProcess extends Error {
  constructor(readonly status: number) {
    super(`exit ${status}`);
  }
}

export const programPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export class Machine {
  readonly files: FileSystem;
  readonly processes = new Map<number, Process>();
  /** Unix sockets by their paths: a connection for this user, or null when it is refused. */
  readonly sockets = new Map<string, (user: string) => Duplex | null>();
  private readonly programs = new Map<string, { directory: string; program: Program }>();
  private readonly accounts = new Map<string, Account>();
  private nextPid = 1200;
  readonly bootedAt: number;
  /** What `hostname` says; it can be set. */
  hostName: string;

  constructor(
    readonly name: string,
    readonly clock: Clock,
  ) {
    this.hostName = name.split(".")[0] ?? name;
    this.files = new FileSystem(() => clock.now());
    this.bootedAt = clock.now();
    for (const directory of ["/tmp", "/etc", "/dev", "/proc", "/home", "/var", "/root", "/usr", "/bin", "/sbin"]) {
      this.files.makeDirectory(directory, "root", { mode: directory === "/tmp" ? 0o1777 : 0o755 });
    }
    this.files.addDevice("/dev/null", () => new NullFile());
    this.addAccount({ name: "root", home: "/root", uid: 0 });
  }

  get shortName(): string {
    return this.name.split(".")[0] ?? this.name;
  }

  addAccount(account: Account): void {
    this.accounts.set(account.name, account);
    this.files.makeDirectory(account.home, account.name, { parents: true, mode: 0o755 });
  }

  account(name: string): Account | undefined {
    return this.accounts.get(name);
  }

  install(programs: Readonly<Record<string, Program>>, directory = "/usr/bin"): void {
    for (const [name, program] of Object.entries(programs)) this.programs.set(name, { directory, program });
  }

  /** The program a word starts, by name along PATH or by path; with where it lies. */
  lookUp(word: string, path: string | undefined): { path: string; program: Program } | null {
    const slash = word.lastIndexOf("/");
    const found = this.programs.get(word.slice(slash + 1));
    if (!found) return slash >= 0 ? this.script(word) : null;
    const places = slash >= 0 ? [word.slice(0, slash)] : (path ?? "/usr/bin:/bin").split(":");
    // As on a merged /usr: /bin is /usr/bin.
    const real = (place: string) => place.replace(/^\/(s?bin)$/, "/usr/$1");
    const place = places.find((candidate) => real(candidate) === found.directory);
    if (place === undefined) return null;
    return { path: slash >= 0 ? word : `${place}/${word}`, program: found.program };
  }

  /** A file that may be executed: its first line names who reads it. */
  private script(path: string): { path: string; program: Program } | null {
    const file = path.startsWith("/") ? this.files.find(path) : null;
    if (file?.kind !== "file" || (file.mode & 0o111) === 0) return null;
    const [, interpreter = "/bin/sh"] = /^#!\s*(\S+)/.exec(file.content) ?? [];
    const reader = this.lookUp(interpreter, undefined);
    if (!reader) return null;
    return { path, program: (call) => reader.program({ ...call, name: interpreter, args: [path, ...call.args] }) };
  }

  create(options: SpawnOptions): Process {
    const { parent } = options;
    const pid = this.nextPid;
    this.nextPid += 1;
    const account = this.account(options.user);
    const lead = options.newSession === true || !parent;
    const process = new Process({
      machine: this,
      pid,
      parent: parent?.pid ?? 1,
      group: lead ? pid : parent.group,
      session: lead ? pid : parent.session,
      user: options.user,
      title: options.title,
      env: new Map(options.env ?? parent?.env ?? this.loginEnvironment(options.user)),
      directory: options.directory ?? parent?.directory ?? account?.home ?? "/",
      files: options.files,
    });
    if (parent)
      for (const [signal, handler] of parent.handlers) if (handler === "ignore") process.handlers.set(signal, handler);
    this.processes.set(pid, process);
    return process;
  }

  loginEnvironment(user: string): Map<string, string> {
    const account = this.account(user);
    return new Map([
      ["HOME", account?.home ?? "/"],
      ["USER", user],
      ["LOGNAME", user],
      ["SHELL", "/bin/sh"],
      ["PATH", user === "root" ? programPath.join(":") : "/usr/local/bin:/usr/bin:/bin:/usr/games"],
    ]);
  }

  /** Runs a body as a process until it returns, exits, breaks a pipe or is killed. */
  async run(process: Process, body: () => Promise<number> | number): Promise<Exit> {
    try {
      process.end({ status: (await body()) & 255, signal: null });
    } catch (thrown) {
      if (thrown instanceof ExitProcess) process.end({ status: thrown.status & 255, signal: null });
      else if (thrown instanceof BrokenPipe) process.end({ status: null, signal: "PIPE" });
      else if (!(thrown instanceof Killed)) {
        // A stand-in's own fault: visible as a crashed program, never as a crash of the whole site.
        const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        await process.files
          .get(2)
          ?.write(`${process.title}: ${text}\n`)
          .catch(() => {});
        process.end({ status: null, signal: "ABRT" });
      }
    }
    return process.ended;
  }

  call(process: Process, name: string, args: string[]): Call {
    return {
      process,
      machine: this,
      name,
      args,
      out: (text) => process.write(1, text),
      err: (text) => process.write(2, text),
    };
  }

  forget(process: Process): void {
    this.processes.delete(process.pid);
    for (const child of this.processes.values()) if (child.parent === process.pid) child.parent = 1;
  }

  /** A process (positive) or a group (negative), as kill(2) has it; false when there is none. */
  kill(target: number, signal: string): boolean {
    const found = [...this.processes.values()].filter((process) =>
      target < 0 ? process.group === -target : process.pid === target,
    );
    for (const process of found) process.signal(signal);
    return found.length > 0;
  }

  /** Ends everything at once: the host is switched off or reinstalled. */
  killAll(): void {
    for (const process of [...this.processes.values()]) process.signal("KILL");
  }
}
