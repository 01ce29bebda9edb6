/** Finds out whether the other end of a connection is still there, and how far away it is. */
import type { Link } from "./link.ts";
import type { SessionSettings } from "./session-types.ts";

export interface PulseEvents {
  roundTrip(ms: number): void;
  /** Nothing came for so long that the connection counts as lost. */
  dead(silentMs: number): void;
  /** Called at every interval. */
  beat(): void;
}

/** Any byte from the host is a sign of life; when it is quiet, it is asked something that every server answers. */
export class Pulse {
  private readonly timer: NodeJS.Timeout;
  private missed = 0;
  private askedAt: number | null = null;
  private seen = -1;
  private stopped = false;

  constructor(
    private readonly link: Link,
    private readonly settings: Pick<SessionSettings, "keepaliveMs" | "keepaliveMisses" | "idleMs">,
    private readonly events: PulseEvents,
  ) {
    this.ask();
    this.timer = setInterval(() => this.tick(), Math.min(settings.keepaliveMs, settings.idleMs));
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  private ask(): void {
    const askedAt = performance.now();
    this.askedAt = askedAt;
    try {
      // Every server answers the cancelling of a forward that does not exist, and nothing changes by it. ssh2's own
      // keepalive tells nobody when the answer came.
      this.link.client.unforwardIn("127.0.0.1", 1, () => {
        if (this.stopped || this.askedAt !== askedAt) return;
        this.askedAt = null;
        this.events.roundTrip(performance.now() - askedAt);
      });
    } catch {
      // The end of the connection is on its way.
    }
  }

  private tick(): void {
    const received = this.link.bytesIn();
    this.missed = received === this.seen && this.askedAt !== null ? this.missed + 1 : 0;
    this.seen = received;
    if (this.missed >= this.settings.keepaliveMisses) {
      this.stop();
      this.events.dead(this.missed * this.settings.keepaliveMs);
      return;
    }
    if (this.askedAt === null) this.ask();
    this.events.beat();
  }
}
