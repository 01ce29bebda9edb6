/** Tells of a run's changes: at most ten times a second, and the last one always. */
import type { RunView } from "./plan.ts";

const everyMs = 100;

export class Teller {
  private current: RunView | null = null;
  private timer: NodeJS.Timeout | null = null;
  private over = false;

  constructor(
    private readonly make: () => RunView,
    private readonly onView: ((view: RunView) => void) | undefined,
  ) {}

  view(): RunView {
    this.current ??= this.make();
    return this.current;
  }

  changed(): void {
    this.current = null;
    if (this.over || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.now();
    }, everyMs);
  }

  now(): void {
    this.current = null;
    this.onView?.(this.view());
  }

  /** Nothing is told any more but by `now`. */
  end(): void {
    this.over = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
