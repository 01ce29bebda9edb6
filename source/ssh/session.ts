/** One connection shared by everybody who wants its host: opened on demand, kept alive, opened again after a loss. */
import type { Client } from "ssh2";
import type { VirtuError } from "../errors.ts";
import { cancelled } from "./limiter.ts";
import type { Link } from "./link.ts";
import { Pulse } from "./pulse.ts";
import type { Route } from "./route.ts";
import type { Grant, SessionHost, Wanted } from "./session-types.ts";
import { Slots } from "./slots.ts";
import type { Priority, SessionInfo, SessionState } from "./types.ts";
import { WaitingLine } from "./waiting-line.ts";

/** Failures that no second try mends. */
function isFinal(error: VirtuError | null): boolean {
  return error?.kind === "authentication" || error?.kind === "host-key";
}

export class Session {
  private state: SessionState = "closed";
  private link: Link | null = null;
  private readonly line = new WaitingLine(() => {
    if (this.line.length === 0 && this.connecting) this.abandon("nobody wants it any more");
    this.host.changed();
  });
  private failure: VirtuError | null = null;
  private reason: string | null = null;
  private failures = 0;
  private openSince: number | null = null;
  private retryAt: number | null = null;
  private retry: NodeJS.Timeout | null = null;
  private pulse: Pulse | null = null;
  private connecting: AbortController | null = null;
  private readonly slots: Slots;
  private carried = 0;
  private lastUsed = Date.now();
  private roundTripMs: number | null = null;
  private bytes = { in: 0, out: 0 };
  private readonly endings = new Set<Promise<void>>();
  private over = false;

  constructor(
    readonly route: Route,
    private readonly host: SessionHost,
  ) {
    this.slots = new Slots(host.settings.channelLimit, () => this.pump());
  }

  /** Waits for the connection and for a free channel; `again` goes before everybody of the same priority. */
  async acquire(wanted: Wanted, again = false): Promise<Grant> {
    if (wanted.signal?.aborted || this.over) throw cancelled();
    this.lastUsed = Date.now();
    if (this.state === "failed" && isFinal(this.failure) && wanted.priority === "poll") throw this.failure;
    const granted = this.line.join(wanted, again);
    this.wake(wanted.priority);
    this.host.changed();
    return granted;
  }

  private wake(priority: Priority): void {
    if (this.state === "open") this.pump();
    else if (this.state === "waiting" && priority === "poll") this.schedule();
    else if (this.state !== "connecting") void this.connect(priority);
    else if (priority === "user") this.host.hurry(this.route.via);
  }

  /** Somebody waits for a host behind this one: a back-off is cut short. */
  hurry(): void {
    if (this.state === "waiting") void this.connect("user");
    else if (this.state === "connecting") this.host.hurry(this.route.via);
  }

  private pump(): void {
    const link = this.link;
    if (!link) return;
    this.line.admit(
      ({ counts }) => !counts || this.slots.free,
      ({ counts }) => this.grantOn(link, counts),
    );
  }

  private grantOn(link: Link, counts: boolean): Grant {
    if (counts) this.slots.used += 1;
    else this.carried += 1;
    let held = true;
    const { era } = this.slots;
    return {
      link,
      alive: () => this.link === link,
      ending: (until) => {
        this.endings.add(until);
        void until.then(() => this.endings.delete(until));
      },
      accepted: () => this.slots.accepted(),
      refused: () => this.refused(era),
      release: () => {
        if (!held) return;
        held = false;
        this.lastUsed = Date.now();
        if (this.link === link) {
          if (counts) this.slots.used -= 1;
          else this.carried -= 1;
          this.pump();
        }
        this.host.changed();
      },
    };
  }

  private refused(era: number): boolean {
    const before = this.slots.limit;
    const verdict = this.slots.refused(era);
    if (this.slots.limit < before) {
      this.host.log(this.route.label, `takes only ${this.slots.limit} channels at a time; the others wait`, "info");
    }
    return verdict !== "useless";
  }

  private async connect(priority: Priority): Promise<void> {
    this.clearRetry();
    const attempt = new AbortController();
    this.connecting = attempt;
    this.become("connecting", null);
    try {
      const link = await this.host.open(this.route, priority, attempt.signal);
      if (this.connecting === attempt) this.opened(link);
      else link.close();
    } catch (thrown) {
      if (this.connecting !== attempt) return;
      this.connecting = null;
      this.failed(thrown as VirtuError);
    }
  }

  private opened(link: Link): void {
    this.connecting = null;
    this.link = link;
    this.failure = null;
    this.slots.reset();
    this.carried = 0;
    this.openSince = Date.now();
    this.become("open", null);
    this.host.log(this.route.label, "session open", "info");
    void link.ended.then((reason) => {
      if (this.link === link) this.lost(reason ?? "the host closed the connection");
    });
    this.startPulse(link);
    this.pump();
  }

  private failed(error: VirtuError): void {
    this.failure = error;
    this.failures += 1;
    this.host.log(this.route.label, error.why ? `${error.what}: ${error.why}` : error.what, "error");
    this.line.sendAway(error);
    if (error.kind === "cancelled") this.become("closed", "cancelled");
    else if (isFinal(error) || !this.recentlyUsed()) this.become("failed", error.why ?? error.what);
    else this.backOff(error.why ?? error.what);
  }

  private lost(reason: string): void {
    const stable = this.openSince !== null && Date.now() - this.openSince >= this.host.settings.keepaliveMs;
    this.forgetLink();
    if (stable) this.failures = 0;
    this.failures += 1;
    this.host.log(this.route.label, `session lost: ${reason}`, "warning");
    if (this.line.urgency === "user" && this.failures === 1) void this.connect("user");
    else if (this.line.length > 0 || this.recentlyUsed()) this.backOff(reason);
    else this.become("closed", reason);
  }

  private backOff(reason: string): void {
    this.retryAt = Math.round(Date.now() + this.host.settings.backoffMs(this.failures));
    this.become("waiting", reason);
    this.schedule();
  }

  private schedule(): void {
    if (this.retry || this.retryAt === null) return;
    this.retry = setTimeout(
      () => {
        this.retry = null;
        if (this.state === "waiting") void this.connect(this.line.urgency);
      },
      Math.max(0, this.retryAt - Date.now()),
    );
  }

  private recentlyUsed(): boolean {
    return Date.now() - this.lastUsed < this.host.settings.idleMs;
  }

  private startPulse(link: Link): void {
    const { settings } = this.host;
    this.pulse = new Pulse(link, settings, {
      roundTrip: (ms) => {
        this.roundTripMs = ms;
        this.host.changed();
      },
      dead: (silentMs) => {
        link.drop();
        this.lost(`no answer for ${Math.round(silentMs / 1000)} s`);
      },
      beat: () => {
        const idle = this.slots.used === 0 && this.carried === 0 && this.line.length === 0;
        if (idle && !this.recentlyUsed()) this.shut("closed because nobody used it");
      },
    });
  }

  private forgetLink(): void {
    this.slots.reset();
    this.pulse?.stop();
    this.pulse = null;
    if (this.link) {
      this.bytes.in += this.link.bytesIn();
      this.bytes.out += this.link.bytesOut();
    }
    this.link = null;
    this.openSince = null;
    this.roundTripMs = null;
    this.carried = 0;
  }

  private clearRetry(): void {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    this.retryAt = null;
  }

  /** Drops the attempt that is under way. */
  private abandon(reason: string): void {
    const attempt = this.connecting;
    this.connecting = null;
    attempt?.abort();
    this.become("closed", reason);
  }

  private shut(reason: string): void {
    this.clearRetry();
    if (this.connecting) this.abandon(reason);
    const link = this.link;
    this.forgetLink();
    link?.close();
    this.failures = 0;
    this.become("closed", reason);
  }

  private become(state: SessionState, reason: string | null): void {
    this.state = state;
    this.reason = reason;
    this.host.changed();
  }

  /** Closes it; who waits for it is told that it was cancelled. It opens again when somebody wants it. */
  close(reason = "closed by the user"): void {
    this.line.sendAway(cancelled("The session was closed"));
    this.shut(reason);
  }

  /** Closes it for good, once the processes that are being ended have gone. */
  async end(): Promise<void> {
    this.over = true;
    if (this.link) await Promise.race([this.link.ended, Promise.all(this.endings)]);
    const gone = this.link?.ended;
    this.close("virtu has ended");
    await gone;
  }

  /** Drops the connection without a word. */
  drop(): void {
    const link = this.link;
    this.shut("virtu has ended");
    link?.drop();
  }

  /** Opens it anew now, whatever it was doing; rejects when that fails. */
  async reconnect(): Promise<void> {
    this.shut("opened again by the user");
    const grant = await this.acquire({ priority: "user", counts: false });
    grant.release();
  }

  /** Whether that client is still the session's connection. */
  uses(client: Client): boolean {
    return this.link?.client === client;
  }

  /** Whether this connection runs through that one. */
  runsThrough(key: string): boolean {
    for (let hop = this.route.via; hop; hop = hop.via) if (hop.key === key) return true;
    return false;
  }

  info(): SessionInfo {
    return {
      key: this.route.key,
      label: this.route.label,
      via: this.route.via?.label ?? (this.route.options.proxyCommand === null ? null : "ProxyCommand"),
      state: this.state,
      reason: this.reason,
      openSince: this.openSince,
      retryAt: this.retryAt,
      attempt: this.failures,
      roundTripMs: this.roundTripMs,
      channels: this.slots.used,
      channelLimit: this.slots.limit,
      queued: this.line.length,
      bytesIn: this.bytes.in + (this.link?.bytesIn() ?? 0),
      bytesOut: this.bytes.out + (this.link?.bytesOut() ?? 0),
    };
  }
}
