/** Ends the process behind a channel. */
import { randomBytes } from "node:crypto";
import type { Client, ClientChannel } from "ssh2";
import { type Command, sh } from "./command.ts";

export type EndSignal = "TERM" | "KILL";

/**
 * The protocol's own signal message. ssh2 sends none once standard input is closed, although the protocol allows it, so
 * its protocol object is asked.
 */
function signalChannel(client: Client, channel: ClientChannel, name: EndSignal): void {
  const inner = client as unknown as { _protocol?: { signal?: (id: number, name: string) => void } };
  const outgoing = (channel as unknown as { outgoing?: { id: number; state: string } }).outgoing;
  if (!outgoing || (outgoing.state !== "open" && outgoing.state !== "eof")) return;
  try {
    inner._protocol?.signal?.(outgoing.id, name);
  } catch {
    // The connection has gone, and the process with it or not: nobody can tell.
  }
}

/**
 * OpenSSH takes no signals for root's sessions, so root's shell first tells its process number on standard error. sshd
 * gives every command a session of its own: that number is also the number of its process group.
 */
export class RemoteProcess {
  private readonly token = `virtu-${randomBytes(8).toString("hex")}`;
  private held: Buffer | null;
  private pid: string | null = null;
  /** A signal asked for before the process number was known. */
  private pending: (() => void) | null = null;

  /** `tells`: the command is sent so that it tells its process number. */
  constructor(private readonly tells: boolean) {
    this.held = tells ? Buffer.alloc(0) : null;
  }

  /** The line to send for a command. */
  line(command: Command): string {
    return this.tells ? `${`echo ${this.token} $$ >&2`}\n${command.line}` : command.line;
  }

  /** Takes our own line out of what arrives on standard error. */
  filter(chunk: Buffer): Buffer {
    if (this.held === null) return chunk;
    const text = Buffer.concat([this.held, chunk]);
    const at = text.indexOf(this.token);
    const end = at < 0 ? -1 : text.indexOf("\n", at);
    if (end >= 0) {
      this.held = null;
      this.pid = /(\d+)\s*$/.exec(text.subarray(at, end).toString("latin1"))?.[1] ?? null;
      this.pending?.();
      return Buffer.concat([text.subarray(0, at), text.subarray(end + 1)]);
    }
    // A shell that says this much before our line isn't going to say it.
    if (text.length < 4096) {
      this.held = text;
      return Buffer.alloc(0);
    }
    this.held = null;
    return text;
  }

  /** What was held back, when no line of ours came. */
  flush(): Buffer {
    const rest = this.held ?? Buffer.alloc(0);
    this.held = null;
    return rest;
  }

  /** Signals it and all that it has started, by the protocol and, for root, by a second command on the connection. */
  signal(client: Client, channel: ClientChannel, name: EndSignal): void {
    signalChannel(client, channel, name);
    this.pending = this.held === null ? null : () => this.kill(client, name);
    if (this.held === null) this.kill(client, name);
  }

  private kill(client: Client, name: EndSignal): void {
    if (this.pid === null) return;
    const kill = sh`kill -${name} -${this.pid} 2>/dev/null || kill -${name} ${this.pid}`;
    try {
      client.exec(kill.line, (error, killer) => {
        if (error) return;
        killer.on("error", () => {});
        killer.resume();
        killer.stderr.resume();
        killer.end();
      });
    } catch {
      // The connection has gone.
    }
  }
}
