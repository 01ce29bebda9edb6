/** How many channels may be open on one connection at a time: what we allow ourselves, or less where the host has less room. */

/** Long enough for sshd to clear away a channel that it has just closed. */
const pauseMs = 20;
const doubtsAllowed = 5;

export class Slots {
  used = 0;
  limit: number;
  /** Counts how often the limit was lowered: a channel asked for before that says nothing about the new limit. */
  era = 0;
  /** Refusals in a row within a limit that was found before. */
  private doubts = 0;
  private pause: NodeJS.Timeout | null = null;

  /** `resume` is called when a pause is over. */
  constructor(
    private readonly most: number,
    private readonly resume: () => void,
  ) {
    this.limit = most;
  }

  get free(): boolean {
    return this.pause === null && this.used < this.limit;
  }

  /** For a new connection. */
  reset(): void {
    if (this.pause) clearTimeout(this.pause);
    this.pause = null;
    this.doubts = 0;
    this.era = 0;
    this.used = 0;
    this.limit = this.most;
  }

  /** The host took a channel. */
  accepted(): void {
    this.doubts = 0;
  }

  /**
   * The host refused a channel, asked for in that era, that still counts as used. `lowered`: fewer from now on. `later`:
   * it was found narrow before and may only be slow, because sshd says that a channel is closed a moment before it has
   * room for the next one. `useless`: no other channel is open whose end could make room.
   */
  refused(era: number): "lowered" | "later" | "useless" {
    const others = this.used - 1;
    if (this.era > 0 && era === this.era && this.doubts < doubtsAllowed) {
      this.doubts += 1;
      this.pause ??= setTimeout(() => {
        this.pause = null;
        this.resume();
      }, pauseMs);
      return "later";
    }
    if (others < 1) return "useless";
    if (others < this.limit) {
      this.limit = others;
      this.era += 1;
      this.doubts = 0;
    }
    return "lowered";
  }
}
