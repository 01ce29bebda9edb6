/** What a session, the pool around it and the channels on it ask of each other. */
import type { Link } from "./link.ts";
import type { Route } from "./route.ts";
import type { Priority } from "./types.ts";

export interface SessionSettings {
  channelLimit: number;
  /** Between two signs of life. */
  keepaliveMs: number;
  /** Signs of life without an answer before the connection counts as lost. */
  keepaliveMisses: number;
  /** A session that nobody uses is closed after this; one lost is opened again by itself only this long. */
  idleMs: number;
  /** Wait before try number `n`, from 1 on. */
  backoffMs: (n: number) => number;
}

export const defaultSettings: SessionSettings = {
  channelLimit: 8,
  keepaliveMs: 10_000,
  keepaliveMisses: 3,
  idleMs: 300_000,
  backoffMs: (n) => Math.min(60_000, 1000 * 2 ** (n - 1)) * (0.75 + Math.random() / 2),
};

export interface SessionHost {
  open(route: Route, priority: Priority, signal: AbortSignal): Promise<Link>;
  /** A user waits for what runs through this jump host. */
  hurry(route: Route | null): void;
  changed(): void;
  log(host: string, text: string, level: "info" | "warning" | "error"): void;
  settings: SessionSettings;
}

export interface Wanted {
  priority: Priority;
  /** Counts against the host's limit of channels (a forwarded connection does not). */
  counts: boolean;
  signal?: AbortSignal | undefined;
}

/** A place on an open connection. */
export interface Grant {
  link: Link;
  /** false once that connection is gone. */
  alive(): boolean;
  /** The host took the channel. */
  accepted(): void;
  /** The host refused one more channel; false when asking again is of no use. */
  refused(): boolean;
  release(): void;
  /** A process is being ended: who ends the program waits for this a moment. */
  ending(until: Promise<void>): void;
}
