/** Something that is read again and again for as long as somebody looks at it. */
export class Looking {
  private watchers = 0;
  private timer: NodeJS.Timeout | null = null;
  private ended = false;

  /**
   * `look`: reads it once; never rejects. `everyMs`: milliseconds between the end of one look and the next; a function where
   * they depend on those that the look took.
   */
  constructor(
    private readonly look: () => Promise<void>,
    private readonly everyMs: number | ((tookMs: number) => number),
  ) {}

  /** Somebody looks. */
  get isOn(): boolean {
    return this.watchers > 0;
  }

  /** Somebody looks from now on: it is read now, and now and then again. Call what it returns to stop. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) void this.go();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.watchers -= 1;
      if (this.watchers === 0) this.call(null);
    };
  }

  private call(timer: NodeJS.Timeout | null): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = timer;
  }

  private async go(): Promise<void> {
    this.call(null);
    const began = performance.now();
    await this.look();
    if (!this.isOn || this.ended) return;
    const { everyMs } = this;
    const wait = typeof everyMs === "number" ? everyMs : everyMs(performance.now() - began);
    this.call(setTimeout(() => void this.go(), wait));
    this.timer?.unref();
  }

  end(): void {
    this.ended = true;
    this.call(null);
  }
}
