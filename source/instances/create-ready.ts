/** Waits until a new instance answers, as it was chosen: at its console, to a ping from its host, or at its SSH port. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { gnt } from "../tools/ganeti.ts";
import { parseWhere, whereCommand } from "../tools/ganeti-create.ts";
import {
  domainConsoleCommand,
  domainNewsCommand,
  parseDomainNews,
  pingCommand,
  startDomainCommand,
} from "../tools/ready.ts";
import { consoleCommand } from "../tools/xl-actions.ts";
import type { CreateRequest, ReadyWanted } from "./create-types.ts";
import { isPassing, pause } from "./exec.ts";
import { GanetiProvider } from "./ganeti.ts";
import type { Provider } from "./types.ts";
import { XenProvider } from "./xen.ts";

/** All that a console needs to know of a domain is its name. */
const unplaced = { domainId: null, file: null, auto: null, saved: false, diskFiles: [] };

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
  const watch = new Watch(provider, request, wanted, { ...options, signal });
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
  private restarted = false;
  /** Looks in a row at which it was off or not there. */
  private missed = 0;
  private readonly lookMs: number;

  constructor(
    private readonly provider: Provider,
    private readonly request: CreateRequest,
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

  /** Learns its address; starts it again when its installation has ended. Null, or why waiting is in vain. */
  private async look(): Promise<string | null> {
    const { pool, signal } = this.options;
    const { provider, request } = this;
    try {
      if (provider instanceof GanetiProvider) {
        if (this.address !== null) return null;
        const { stdout } = await provider.run((access) => whereCommand(access, request.name), { signal });
        this.address = parseWhere(stdout, request.name)?.ip ?? null;
        return this.address === null ? "Ganeti knows no address of it: give one, or wait for its console" : null;
      }
      if (request.provider !== "libvirt") return await this.lookOnXen();
      const { host, label } = provider.attachment;
      const answer = await pool.exec(host, domainNewsCommand(label, request.uuid), { priority: "user", signal });
      const news = answer.status === 0 ? parseDomainNews(answer.stdout) : null;
      this.address ??= news?.address ?? null;
      if (news?.state === "crashed") return "it crashed";
      if (news?.state !== "shut off") return null;
      return await this.startAgain();
    } catch (thrown) {
      if (isPassing(thrown)) return null;
      throw thrown;
    }
  }

  /** On Xen and XenServer the guest's row tells; its address where xapi's agent in the guest does. */
  private async lookOnXen(): Promise<string | null> {
    const { signal } = this.options;
    const { provider, request } = this;
    const { instances } = await provider.list({ signal, priority: "user" });
    const guest = instances.find(({ name }) => name === request.name);
    // A guest that reboots is missing for a moment between its two domains.
    this.missed = guest === undefined || guest.status === "stopped" ? this.missed + 1 : 0;
    if (guest?.status === "error") return `it ${guest.statusDetail}`;
    if (this.missed >= 3) return "it went off";
    const ip = guest?.facts["ip"];
    if (typeof ip === "string") this.address ??= ip.split(", ")[0] ?? null;
    const waits = this.address === null && this.wanted.by !== "console" && provider.name === "xen";
    return waits ? "nobody on a Xen host knows its address: give one, or wait for its console" : null;
  }

  /** An installer's reboot is its end for libvirt: from now on it boots from its disk. */
  private async startAgain(): Promise<string | null> {
    const { provider, request } = this;
    if (request.provider !== "libvirt") return null;
    const { kind } = request.media;
    if (this.restarted || (kind !== "iso" && kind !== "location" && kind !== "pxe")) return "it went off";
    this.restarted = true;
    this.options.onText("the installation has ended: starting it from its disk");
    const { host, label } = provider.attachment;
    const { pool, signal } = this.options;
    await pool.exec(host, startDomainCommand(label, request.uuid), { priority: "user", signal });
    return null;
  }

  private async pings(address: string): Promise<boolean> {
    const { pool, signal } = this.options;
    try {
      const command = pingCommand(address);
      const answer = await pool.exec(this.provider.target, command, { priority: "user", timeoutMs: 10_000, signal });
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
      const stream = await pool.forward(this.provider.target, { host: address, port: 22 }, { signal: own });
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

  private async consoleWay(): Promise<{ host: HostRef; command: Command }> {
    const { provider, request } = this;
    const host = provider.target;
    if (provider instanceof GanetiProvider) {
      const { command } = provider.describe((access) => gnt(access, "gnt-instance", ["console", request.name]));
      return { host, command };
    }
    if (request.provider === "xen" && provider instanceof XenProvider) {
      return { host, command: consoleCommand(provider.access, { ...unplaced, name: request.name }) };
    }
    if (request.provider === "xenserver") {
      // Which host of the pool it was started on, and under which UUID, its row tells.
      const { instances } = await provider.list({ signal: this.options.signal, priority: "user" });
      const guest = instances.find(({ name }) => name === request.name);
      const way = guest ? provider.console(guest) : { refusal: "the pool has no such guest", hint: "" };
      if ("refusal" in way) throw new VirtuError({ kind: "refused", what: way.refusal, where: host.name });
      return { host: way.host, command: way.command };
    }
    const subject = request.provider === "libvirt" ? request.uuid : request.name;
    return { host, command: domainConsoleCommand(provider.attachment.label, subject) };
  }

  /** The line that was waited for, or null when the console ended without it. */
  private async readConsole(pattern: RegExp): Promise<string | null> {
    const { pool, signal, onText } = this.options;
    const { host, command } = await this.consoleWay();
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
