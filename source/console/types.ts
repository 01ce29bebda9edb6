/** What a console is to those who show it. */
import type { Command } from "../ssh/command.ts";
import type { HostRef } from "../ssh/types.ts";

export interface Size {
  columns: number;
  rows: number;
}

/** What a console is of: an instance, or a host's shell. One console is open for each key. */
export interface ConsoleTarget {
  key: string;
  /** Name of the instance, or of the host. */
  title: string;
  /** The host that it runs through, as the user named it; empty for a shell on that host itself. */
  host: string;
  kind: "serial" | "shell";
}

/** Why a console can't be had or has ended, in the user's words. */
export interface ConsoleReason {
  why: string;
  hint: string;
  /** Somebody else has it. */
  inUse: boolean;
  /** The instance is off, or has no such console; absent: neither, as far as is known. */
  kind?: "off" | "none";
}

/** How it is opened. A provider's `ConsoleWay` is one; a shell has only a host. */
export interface Way {
  host: HostRef;
  /** Null: the login shell. */
  command: Command | null;
  takeOver?: Command | null;
  /** Starts it and is attached before it prints its first line; null: it can't be had so. */
  start?: Command | null;
  wake?: string | null;
  leave?: string | null;
  /** Asked when nothing is heard: who else has it (`on node1, for 3 min`), null when nobody has. Absent: nobody can tell. */
  heldBy?: (signal: AbortSignal) => Promise<string | null>;
  /** What it means when the remote program ends well by itself; absent: the guest is off, or somebody took it over. */
  over?: string;
  explain?: (text: string, status: number | null) => ConsoleReason | null;
}

/** How it is opened this time. */
export type Opening = "attach" | "take-over" | "start";

/**
 * - `left`: it was closed from here;
 * - `over`: the remote program ended well (a shell's `exit`, a guest that was switched off);
 * - `in-use`: somebody else has it;
 * - `off`: the instance does not run;
 * - `none`: it has no such console;
 * - `refused`: it could not be opened for another reason;
 * - `lost`: the link broke.
 */
export type EndKind = "left" | "over" | "in-use" | "off" | "none" | "refused" | "lost";

export interface ConsoleEnd {
  kind: EndKind;
  why: string;
  /** What to do; may be empty. */
  hint: string;
  /** The remote program's own last lines. */
  detail: string;
}

export type Phase = "opening" | "open" | "ended";

/** One console, as lists and status lines show it. */
export interface ConsoleView {
  id: number;
  target: ConsoleTarget;
  phase: Phase;
  /** Null until it has ended. */
  end: ConsoleEnd | null;
  /** File that it is recorded to, or null. */
  recording: string | null;
  /** What the user should know now and is no end: a recording that broke off. */
  note: string | null;
  /** Something was printed since it was looked at last. */
  unseen: boolean;
  /** Epoch milliseconds. */
  openedAt: number;
  /** The last line with text on it, for the list. */
  lastLine: string;
}
