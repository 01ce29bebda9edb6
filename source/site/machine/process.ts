/** A simulated process: descriptors, environment, signals, an end. It belongs to its machine, not to who started it. */
import { FileError, resolvePath } from "./files.ts";
import type { Machine } from "./machine.ts";
import type { OpenFile } from "./open-file.ts";

export type Exit = { status: number; signal: null } | { status: null; signal: string };

/** Thrown inside a process that was ended by a signal; nothing may catch it but the one who started the process. */
export class Killed extends Error {}

export const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
};

/** `TERM` for `TERM`, `SIGTERM`, `15`; null for what is no signal. `0` stays `0`: it only asks. */
export function signalName(word: string): string | null {
  const name = word.toUpperCase().replace(/^SIG/, "");
  if (name === "0" || Object.hasOwn(signalNumbers, name)) return name;
  return Object.entries(signalNumbers).find(([, number]) => String(number) === word)?.[0] ?? null;
}

/** The status that a shell shows for an end. */
export function shellStatus(exit: Exit): number {
  return exit.signal === null ? exit.status : 128 + (signalNumbers[exit.signal] ?? 0);
}

export interface ProcessFacts {
  machine: Machine;
  pid: number;
  parent: number;
  group: number;
  session: number;
  user: string;
  title: string;
  env: Map<string, string>;
  directory: string;
  files: Map<number, OpenFile>;
}

export class Process {
  readonly machine: Machine;
  readonly pid: number;
  parent: number;
  group: number;
  session: number;
  user: string;
  title: string;
  env: Map<string, string>;
  directory: string;
  files: Map<number, OpenFile>;
  exit: Exit | null = null;
  readonly ended: Promise<Exit>;
  private resolveEnded: (exit: Exit) => void = () => {};
  private readonly waiting = new Set<() => void>();
  /** What a signal does, when it is not the usual. */
  readonly handlers = new Map<string, "ignore" | (() => void)>();

  constructor(facts: ProcessFacts) {
    this.machine = facts.machine;
    this.pid = facts.pid;
    this.parent = facts.parent;
    this.group = facts.group;
    this.session = facts.session;
    this.user = facts.user;
    this.title = facts.title;
    this.env = facts.env;
    this.directory = facts.directory;
    this.files = facts.files;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
  }

  /** Waits for something that a signal may interrupt for good. */
  guard<T>(promise: Promise<T>): Promise<T> {
    if (this.exit) {
      promise.catch(() => {});
      return Promise.reject(new Killed());
    }
    return new Promise((resolve, reject) => {
      const stop = () => reject(new Killed());
      this.waiting.add(stop);
      promise.then(
        (value) => {
          this.waiting.delete(stop);
          resolve(value);
        },
        (error) => {
          this.waiting.delete(stop);
          reject(error);
        },
      );
    });
  }

  /** Work that takes so many seconds of the site's time. */
  async work(seconds: number): Promise<void> {
    await this.sleep(seconds / this.machine.clock.speed);
  }

  /** Real seconds, as the host's clock shows them. */
  async sleep(seconds: number): Promise<void> {
    let callOff = () => {};
    try {
      await this.guard(
        new Promise<void>((resolve) => {
          if (Number.isFinite(seconds)) callOff = this.machine.clock.afterReal(seconds * 1000, resolve);
        }),
      );
    } finally {
      callOff();
    }
  }

  signal(name: string): void {
    if (this.exit || name === "0" || name === "CHLD" || name === "CONT" || name === "STOP") return;
    const handler = name === "KILL" ? undefined : this.handlers.get(name);
    if (handler === "ignore") return;
    if (handler) handler();
    else this.end({ status: null, signal: name });
  }

  end(exit: Exit): void {
    if (this.exit) return;
    this.exit = exit;
    for (const file of this.files.values()) file.close();
    this.files = new Map();
    this.machine.forget(this);
    const stops = [...this.waiting];
    this.waiting.clear();
    for (const stop of stops) stop();
    this.resolveEnded(exit);
  }

  /** Puts a file under a descriptor; the one that was there is closed. */
  setFile(descriptor: number, file: OpenFile): void {
    this.files.get(descriptor)?.close();
    this.files.set(descriptor, file);
  }

  /** Opens a file by a path as the process sees it; `/dev/fd/N` and the like are its own descriptors. */
  open(path: string, how: "read" | "write" | "append"): OpenFile {
    const full = resolvePath(this.directory, path);
    const [, own, name] = /^\/dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))$/.exec(full) ?? [];
    if (own === undefined && name === undefined) return this.machine.files.open(full, how, this.user);
    const file = this.files.get(own !== undefined ? Number(own) : ["stdin", "stdout", "stderr"].indexOf(name ?? ""));
    if (!file) throw new FileError("No such file or directory");
    return file.dup();
  }

  dupFiles(): Map<number, OpenFile> {
    return new Map([...this.files].map(([number, file]) => [number, file.dup()]));
  }

  async write(descriptor: number, text: string): Promise<void> {
    if (text === "") return;
    const file = this.files.get(descriptor);
    if (!file) {
      if (this.exit) throw new Killed();
      return;
    }
    await this.guard(file.write(text));
  }

  async read(): Promise<string | null> {
    const file = this.files.get(0);
    return file ? this.guard(file.read()) : null;
  }

  async readAll(): Promise<string> {
    let all = "";
    for (;;) {
      const piece = await this.read();
      if (piece === null) return all;
      all += piece;
    }
  }
}
