/** Where the user is (a stack of places) and what each place remembers. Outside React, so that handing the terminal over loses nothing. */

import type { Opening } from "../console/types.ts";
import type { RequestName } from "../instances/target.ts";
import type { HostRef } from "../ssh/types.ts";
import type { MoveName } from "../store/instance-work.ts";

/** Whose console: an instance's by its key, a shell on a host, or one that is open already. */
export type ConsoleOf =
  | { kind: "instance"; key: string }
  | { kind: "shell"; host: HostRef; title: string }
  | { kind: "open"; id: number };

export type Place =
  | { screen: "home" }
  | { screen: "sites" }
  | { screen: "add-site" }
  | { screen: "jobs" }
  | { screen: "reserve" }
  /** A job on its way to running; null: the one that is being reserved. */
  | { screen: "waiting"; jobId: number | null }
  | { screen: "extend"; jobId: number }
  | { screen: "deploy"; jobId: number }
  | { screen: "deployment"; id: string }
  | { screen: "nodes" }
  | { screen: "node"; name: string }
  | { screen: "instances" }
  | { screen: "instance"; key: string }
  | { screen: "console"; of: ConsoleOf; opening: Opening }
  | { screen: "consoles" }
  | { screen: "guest-screen"; key: string }
  /** Instances are asked for in five steps, and made. */
  /** `host`: where it begins, as the user named it. */
  | { screen: "create"; host?: string | undefined }
  | { screen: "create-save"; text: string; file: string }
  | { screen: "making" }
  /** Tools compared: those kept, a new one, one of them live or as it ended, and its export. */
  | { screen: "comparisons" }
  | { screen: "compare" }
  | { screen: "comparison"; id: string }
  | { screen: "comparison-save"; id: string }
  /** Pools, volumes and networks, and what is made of them. */
  | { screen: "stores" }
  | { screen: "store-add"; what: "volume" | "pool" | "network"; place: string; pool: string }
  /** What these instances use over time. */
  | { screen: "chart"; keys: readonly string[] }
  /** Columns of the instance table, its named views, and its export. */
  | { screen: "columns" }
  | { screen: "copy-cell"; key: string }
  | { screen: "views" }
  | { screen: "keep-view" }
  | { screen: "export" }
  /** A run of actions on many; null: the latest. */
  | { screen: "bulk"; run: number | null }
  | { screen: "bulk-save"; run: number }
  /** An action in waves; `keys`: the marked instances, or none for all. */
  | { screen: "waves"; keys: readonly string[] }
  | { screen: "scheduled" }
  /** An action at a time, for these instances. */
  | { screen: "schedule"; keys: readonly string[] }
  /** All that can be done to these instances, or to one node. */
  | { screen: "actions"; keys: readonly string[] }
  /** What an action needs to know; `of`: the disk, network card or snapshot that it is about. */
  | { screen: "action"; action: RequestName; keys: readonly string[]; of: string | null }
  | { screen: "move-to"; action: MoveName; keys: readonly string[] }
  | { screen: "snapshots"; key: string }
  | { screen: "hardware"; key: string }
  | { screen: "definition"; key: string }
  | { screen: "change"; key: string }
  | { screen: "provider-jobs" }
  | { screen: "provider-job"; place: string; id: string }
  | { screen: "hosts" }
  | { screen: "add-host" }
  | { screen: "runs" }
  | { screen: "run"; id: string }
  | { screen: "run-output"; id: string; step: string; node: string }
  | { screen: "run-plan"; id: string }
  | { screen: "up" }
  | { screen: "way"; id: string }
  /** An instance on what this run has installed. */
  | { screen: "configure" }
  | { screen: "install" }
  | { screen: "install-ganeti" }
  | { screen: "install-libvirt" }
  | { screen: "sessions" }
  | { screen: "session"; key: string }
  | { screen: "log" };

/** The numbered screens, in the order of their keys. */
export const topScreens = [
  { screen: "home", title: "Home" },
  { screen: "jobs", title: "Jobs" },
  { screen: "nodes", title: "Nodes" },
  { screen: "instances", title: "Instances" },
  { screen: "runs", title: "Runs" },
  { screen: "sessions", title: "Sessions" },
  { screen: "log", title: "Feed" },
] as const satisfies readonly { screen: Place["screen"]; title: string }[];

export class Navigation {
  private stack: Place[];
  private readonly memory = new Map<string, unknown>();
  private readonly listeners = new Set<() => void>();

  constructor(...start: readonly Place[]) {
    this.stack = start.length > 0 ? [...start] : [{ screen: "home" }];
  }

  /** From the first place to the one that is shown. Stable between changes. */
  places = (): readonly Place[] => this.stack;

  here(): Place {
    return this.stack[this.stack.length - 1] as Place;
  }

  /** The numbered screen that the shown place belongs to. */
  top(): Place["screen"] {
    return (this.stack[0] as Place).screen;
  }

  open(place: Place): void {
    this.stack = [...this.stack, place];
    this.changed();
  }

  /** Puts another place where the shown one is, so that Esc does not come back to it (a form that is done). */
  replace(place: Place): void {
    this.stack = [...this.stack.slice(0, -1), place];
    this.changed();
  }

  /** Goes to a numbered screen; what was open above the old one is left. */
  jump(place: Place, ...above: Place[]): void {
    this.stack = [place, ...above];
    this.changed();
  }

  /** One place back; from a numbered screen to Home. False when there is nowhere to go. */
  back(): boolean {
    if (this.stack.length > 1) this.stack = this.stack.slice(0, -1);
    else if (this.top() !== "home") this.stack = [{ screen: "home" }];
    else return false;
    this.changed();
    return true;
  }

  recall<T>(key: string, initial: T): T {
    if (!this.memory.has(key)) this.memory.set(key, initial);
    return this.memory.get(key) as T;
  }

  remember<T>(key: string, next: T | ((before: T) => T), initial: T): void {
    const before = this.recall(key, initial);
    const after = typeof next === "function" ? (next as (before: T) => T)(before) : next;
    if (Object.is(before, after)) return;
    this.memory.set(key, after);
    this.changed();
  }

  forget(key: string): void {
    if (this.memory.delete(key)) this.changed();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
