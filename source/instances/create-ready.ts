/** Waits until a new instance answers, as it was chosen: at its console, to a ping from its host, or at its SSH port. */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { pingCommand } from "../tools/ready.ts";
import { isPassing, pause } from "../waiting.ts";
import { makerOf, type Waiting } from "./create-maker.ts";
import type { CreateRequest, ReadyWanted } from "./create-types.ts";
import type { Provider } from "./types.ts";

export interface ReadyOptions {
  pool: Pool;
  signal?: AbortSignal;
  /** What is known of its address: by the request. */
  address: string | null;
  onText: (text: string) => void;
  /** Milliseconds between two looks (default 1500). */
  lookMs?: number;
  /** False: Enter is not pressed at its console, so that only a prompt that comes by itself counts (after a reboot). */
  wake?: boolean;
}

export interface Readiness {
  ready: boolean;
  address: string | null;
  /** `answers ping at 10.0.0.5`, or why it is not ready. */
  text: string;
}

export async function awaitReady(
  provider: Provider,
  request: CreateRequest,
  wanted: ReadyWanted,
  options: ReadyOptions,
): Promise<Readiness> {
  const limit = AbortSignal.timeout(wanted.limitSeconds * 1000);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const maker = await makerOf(provider);
  const waiting = maker.waiting(request, { ...options, signal });
  const watch = new Watch(provider.target, waiting, wanted, { ...options, signal });
  try {
    return wanted.by === "console" ? await watch.console() : await watch.network();
  } catch (thrown) {
    if (limit.aborted) {
      return { ready: false, address: watch.address, text: `${watch.missing()} after ${wanted.limitSeconds} s` };
    }
    if (!(thrown instanceof VirtuError) || thrown.kind === "cancelled") throw thrown;
    return { ready: false, address: watch.address, text: [thrown.what, thrown.why].filter(Boolean).join(": ") };
  }
}

class Watch {
  address: string | null;
  private lastLine = "";
  private readonly lookMs: number;

  constructor(
    private readonly host: HostRef,
    private readonly waiting: Waiting,
    private readonly wanted: ReadyWanted,
    private readonly options: ReadyOptions & { signal: AbortSignal },
  ) {
    this.address = wanted.address ?? options.address;
    this.lookMs = options.lookMs ?? 1500;
  }

  missing(): string {
    if (this.wanted.by === "console") {
      return this.lastLine === "" ? "its console said nothing" : `its console last said "${this.lastLine}"`;
    }
    if (this.address === null) return "nobody knows its address";
    return `${this.address} does not answer ${this.wanted.by === "ping" ? "ping" : "at its SSH port"}`;
  }

  async network(): Promise<Readiness> {
    const { by } = this.wanted;
    for (;;) {
      const off = await this.look();
      if (off !== null) return { ready: false, address: this.address, text: off };
      if (this.address !== null) {
        const answers = await (by === "ping" ? this.pings(this.address) : this.greets(this.address));
        if (answers) {
          const text = by === "ping" ? `answers ping at ${this.address}` : `answers SSH at ${this.address}`;
          return { ready: true, address: this.address, text };
        }
      }
      this.options.onText(this.address === null ? "waiting for its address" : `waiting: ${this.missing()}`);
      await pause(this.lookMs, this.options.signal);
    }
  }

  /** Learns its address. Null, or why waiting is in vain. */
  private async look(): Promise<string | null> {
    try {
      const { address, off, noAddress = null } = await this.waiting.look(this.address !== null);
      this.address ??= address;
      return off ?? (this.address === null && this.wanted.by !== "console" ? noAddress : null);
    } catch (thrown) {
      if (isPassing(thrown)) return null;
      throw thrown;
    }
  }

  private async pings(address: string): Promise<boolean> {
    const { pool, signal } = this.options;
    try {
      const command = pingCommand(address);
      const answer = await pool.exec(this.host, command, { priority: "user", timeoutMs: 10_000, signal });
      return answer.outcome === "exited" && answer.status === 0;
    } catch (thrown) {
      if (isPassing(thrown)) return false;
      throw thrown;
    }
  }

  /** The SSH server says its version as soon as somebody connects. */
  private async greets(address: string): Promise<boolean> {
    const { pool, signal } = this.options;
    const own = AbortSignal.any([signal, AbortSignal.timeout(5000)]);
    try {
      const stream = await pool.forward(this.host, { host: address, port: 22 }, { signal: own });
      try {
        return await new Promise<boolean>((resolve) => {
          let text = "";
          stream.on("data", (chunk: Buffer) => {
            text += chunk.toString("latin1");
            if (text.length >= 4) resolve(text.startsWith("SSH-"));
          });
          stream.once("end", () => resolve(false));
          stream.once("close", () => resolve(false));
          stream.once("error", () => resolve(false));
          own.addEventListener("abort", () => resolve(false), { once: true });
        });
      } finally {
        stream.destroy();
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof VirtuError) return false;
      throw thrown;
    }
  }

  async console(): Promise<Readiness> {
    const pattern = new RegExp(this.wanted.pattern ?? "login:");
    for (;;) {
      const said = await this.readConsole(pattern);
      if (said !== null) return { ready: true, address: this.address, text: `its console says "${said}"` };
      const off = await this.look();
      if (off !== null) return { ready: false, address: this.address, text: off };
      await pause(this.lookMs, this.options.signal);
    }
  }

  /** The line that was waited for, or null when the console ended without it. */
  private async readConsole(pattern: RegExp): Promise<string | null> {
    const { pool, signal, onText } = this.options;
    const { host, command } = await this.waiting.console();
    const channel = await pool.pty(host, command, { columns: 120, rows: 24, priority: "user", signal });
    // A prompt that was there before we came shows itself once somebody presses Enter.
    const nudge = this.options.wake === false ? undefined : setInterval(() => channel.stream.write("\r"), 5000);
    try {
      return await new Promise<string | null>((resolve, reject) => {
        let line = "";
        channel.stream.on("data", (chunk: Buffer) => {
          const parts = (line + chunk.toString("utf8")).split(/\r?\n|\r/);
          // A console without newlines must not grow for ever.
          line = (parts.at(-1) ?? "").slice(-2000);
          for (const part of parts) {
            const text = plainLine(part).trim();
            if (text === "" || text === this.lastLine) continue;
            this.lastLine = text.slice(0, 200);
            onText(this.lastLine);
            if (pattern.test(text)) resolve(text.slice(0, 200));
          }
        });
        void channel.ended.then(() => resolve(null));
        signal.addEventListener("abort", () => reject(new VirtuError({ kind: "cancelled", what: "Cancelled" })), {
          once: true,
        });
      });
    } finally {
      clearInterval(nudge);
      channel.close();
    }
  }
}
