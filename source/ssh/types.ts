/** What the session pool offers to everything above it. Nothing above `ssh/` knows of ssh2. */
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Command } from "./command.ts";

/** A host as somebody names it, before `ssh -G` has said what that means. */
export interface HostRef {
  /** `[user@]host[:port]`, or an alias of the user's ssh configuration. */
  name: string;
  /** Jump host to use when the ssh configuration names none (a job's nodes are reached through their frontend). */
  via?: HostRef;
  /** Login name when neither `name` nor the ssh configuration gives one (nodes: `root`). */
  user?: string;
  /**
   * A known_hosts file of its own instead of the user's (a job's nodes). An unknown key is then learned without a
   * question: the file starts empty with the job. A changed one is refused as anywhere.
   */
  knownHostsFile?: string;
}

/** What a user does goes before what a refresh does, when channels are short. */
export type Priority = "user" | "poll";

export interface RequestOptions {
  signal?: AbortSignal;
  /** Limit in milliseconds from the moment the command starts on the host; the remote process is then ended. */
  timeoutMs?: number;
  priority?: Priority;
}

export interface ExecOptions extends RequestOptions {
  /** Written to the command's standard input, which is then closed. Without it standard input is empty. */
  stdin?: string | Uint8Array;
  /** Called for every line as it arrives, without its newline; a last unfinished line is given at the end. */
  onLine?: (stream: "stdout" | "stderr", line: string) => void;
  /** Keep at most this many bytes of each stream in the result (default 16 MiB; the newest are dropped, `truncated` is set). */
  maxBytes?: number;
}

/** How a remote command ended. `lost` means that nobody knows: it is neither success nor failure. */
export type Outcome = "exited" | "signalled" | "lost" | "timeout";

export interface ExecResult {
  outcome: Outcome;
  /** Exit status, only with `exited`. */
  status: number | null;
  /** Signal name without SIG, only with `signalled`. */
  signal: string | null;
  stdout: string;
  stderr: string;
  truncated: boolean;
  durationMs: number;
}

/** An interactive channel with a terminal on the host's side. */
export interface PtyChannel {
  stream: Duplex;
  resize(columns: number, rows: number): void;
  close(): void;
  /** Resolves when it has ended, however. */
  ended: Promise<Pick<ExecResult, "outcome" | "status" | "signal">>;
}

export interface PtyOptions extends RequestOptions {
  columns: number;
  rows: number;
  term?: string;
}

export type SessionState = "connecting" | "open" | "waiting" | "failed" | "closed";

/** One connection, as the sessions pane shows it. */
export interface SessionInfo {
  /** `user@host:port` and the way there; equal for everything that shares the connection. */
  key: string;
  /** As shown: `root@node-1`. */
  label: string;
  via: string | null;
  state: SessionState;
  /** Why it is not open, in a line. */
  reason: string | null;
  /** Epoch milliseconds since when it has been open, or null. */
  openSince: number | null;
  /** Epoch milliseconds of the next try, with `waiting`. */
  retryAt: number | null;
  attempt: number;
  roundTripMs: number | null;
  channels: number;
  channelLimit: number;
  queued: number;
  bytesIn: number;
  bytesOut: number;
}

export interface SecretQuestion {
  kind: "password" | "passphrase" | "keyboard-interactive";
  /** `user@host` that asks. */
  host: string;
  /** The host's or our prompt, already made safe to show. */
  prompt: string;
  /** Show what is typed (some keyboard-interactive prompts ask for that). */
  echo: boolean;
  /** Key file, with `passphrase`. */
  file?: string;
  /** How many answers were wrong before. */
  failures: number;
}

export interface HostKeyQuestion {
  /** As known_hosts names it: `node-1`, `[10.0.0.1]:2222`. */
  host: string;
  /** As the user, or the ssh configuration, names it. */
  alias: string;
  /** Key type as ssh names it: `ssh-ed25519`. */
  keyType: string;
  /** `SHA256:…` without padding, as `ssh-keygen -l` prints it. */
  fingerprint: string;
  knownHostsFile: string;
}

/** Who answers when the pool has to ask. Headless: `secret` gives null and `hostKey` follows StrictHostKeyChecking. */
export interface Asker {
  /** null: the user cancelled, or nobody is there to ask. */
  secret(question: SecretQuestion, signal: AbortSignal): Promise<string | null>;
  hostKey(question: HostKeyQuestion, signal: AbortSignal): Promise<"once" | "always" | "no">;
}

export interface PoolEvents {
  /** Something in `sessions()` changed; emitted at most every 100 ms. */
  change: [];
  /** One line for the log pane. */
  log: [{ at: number; host: string; text: string; level: "info" | "warning" | "error" }];
}

/**
 * The pool. Every method rejects with a `VirtuError`: kind `connection`, `authentication`, `host-key` (the session
 * could not be had), `usage` (the name means nothing) or `cancelled` (by the request's signal). A command that ran and
 * failed is not an error here: read `ExecResult`.
 */
export interface Pool extends EventEmitter<PoolEvents> {
  exec(host: HostRef, command: Command, options?: ExecOptions): Promise<ExecResult>;
  /** A command (or, without one, the login shell) on a terminal of the host. */
  pty(host: HostRef, command: Command | null, options: PtyOptions): Promise<PtyChannel>;
  /** Writes a file on the host by SFTP, through a temporary name, then renames it. */
  upload(
    host: HostRef,
    content: Uint8Array | { localFile: string },
    remotePath: string,
    options?: RequestOptions & { mode?: number; onProgress?: (sent: number, total: number) => void },
  ): Promise<void>;
  /** A TCP connection (or, with `socketPath`, one to a Unix socket) made from the host. */
  forward(
    host: HostRef,
    to: { host: string; port: number } | { socketPath: string },
    options?: RequestOptions,
  ): Promise<Duplex>;
  sessions(): readonly SessionInfo[];
  /** Closes the session if it is open, forgets its back-off and opens it again. */
  reconnect(key: string): Promise<void>;
  close(key: string): void;
  /** Forgets the keys of these hosts in a job's own file, after a redeployment, and drops their sessions. */
  forgetHostKeys(knownHostsFile: string, hosts: readonly string[]): Promise<void>;
  end(): Promise<void>;
}
