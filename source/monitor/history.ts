/**
 * A day of several metrics in a bounded number of bytes (15 KiB for six): the last looks as they were, an hour in means of 20
 * seconds, a day in means of five minutes. What is older goes, and room is taken when it is first needed: of thousands of
 * instances most are watched for minutes.
 */

/** Looks that are kept one by one: six minutes at one in four seconds. */
const kept = 90;
/** A host whose changes are told is asked twice a minute; one that is silent longer was not looked at. */
const gapMs = 70_000;
/** Length and number of the means: a little over an hour, a little over a day. */
const tiers = [
  { ms: 20_000, slots: 190 },
  { ms: 300_000, slots: 290 },
] as const;
/** Means and looks for which room is taken at a time. */
const together = 32;

/** Means over equal parts of time, in a ring; a part that nobody looked at stays empty. */
class Means {
  /** All metrics of so many parts in a row; those of a time that was not looked at are not there. */
  private readonly chunks: Float32Array[] = [];
  private readonly sums: number[];
  private readonly counts: number[];
  /** Number of the part that is gathered now, counted from the epoch; -1: none yet. */
  private part = -1;

  constructor(
    private readonly metrics: number,
    readonly ms: number,
    readonly slots: number,
  ) {
    this.sums = new Array<number>(metrics).fill(0);
    this.counts = new Array<number>(metrics).fill(0);
  }

  add(at: number, values: readonly (number | null)[]): void {
    const part = Math.floor(at / this.ms);
    if (part < this.part) return;
    if (part > this.part) this.moveTo(part);
    for (let metric = 0; metric < this.metrics; metric += 1) {
      const value = values[metric] ?? null;
      if (value === null) continue;
      this.sums[metric] = (this.sums[metric] ?? 0) + value;
      this.counts[metric] = (this.counts[metric] ?? 0) + 1;
      this.chunkOf(part)[this.index(metric, part)] = (this.sums[metric] ?? 0) / (this.counts[metric] ?? 1);
    }
  }

  /** What lies between the part before and this one was not looked at. */
  private moveTo(part: number): void {
    const from = this.part < 0 ? part : Math.max(this.part + 1, part - this.slots + 1);
    for (let number = from; number <= part; number += 1) {
      const chunk = this.chunks[this.chunkIndex(number)];
      for (let metric = 0; chunk && metric < this.metrics; metric += 1) chunk[this.index(metric, number)] = Number.NaN;
    }
    this.part = part;
    this.sums.fill(0);
    this.counts.fill(0);
  }

  private chunkIndex(part: number): number {
    return Math.floor((part % this.slots) / together);
  }

  private chunkOf(part: number): Float32Array {
    const at = this.chunkIndex(part);
    this.chunks[at] ??= new Float32Array(this.metrics * together).fill(Number.NaN);
    return this.chunks[at];
  }

  /** In its chunk. */
  private index(metric: number, part: number): number {
    return metric * together + ((part % this.slots) % together);
  }

  each(metric: number, from: number, to: number, tell: (at: number, value: number) => void): void {
    if (this.part < 0) return;
    const first = Math.max(Math.floor(from / this.ms), this.part - this.slots + 1, 0);
    const last = Math.min(Math.floor(to / this.ms), this.part);
    for (let part = first; part <= last; part += 1) {
      const value = this.chunks[this.chunkIndex(part)]?.[this.index(metric, part)] ?? Number.NaN;
      if (!Number.isNaN(value)) tell(part * this.ms + this.ms / 2, value);
    }
  }
}

export class History {
  private times = new Float64Array(together);
  /** The metrics of one look after those of the other. */
  private values: Float32Array;
  private readonly means: readonly Means[];
  private looks = 0;

  /** @param metrics How many values each look has. */
  constructor(private readonly metrics: number) {
    this.values = new Float32Array(metrics * together);
    this.means = tiers.map(({ ms, slots }) => new Means(metrics, ms, slots));
  }

  /** One look at epoch milliseconds `at`; null where nothing is known. One older than the last is left out. */
  add(at: number, values: readonly (number | null)[]): void {
    if (this.looks > 0 && at <= this.last) return;
    if (this.looks === this.times.length && this.looks < kept) this.grow();
    const slot = this.looks % kept;
    this.times[slot] = at;
    for (let metric = 0; metric < this.metrics; metric += 1) {
      this.values[slot * this.metrics + metric] = values[metric] ?? Number.NaN;
    }
    this.looks += 1;
    for (const means of this.means) means.add(at, values);
  }

  private grow(): void {
    const { times, values } = this;
    const room = Math.min(kept, times.length + together);
    this.times = new Float64Array(room);
    this.times.set(times);
    this.values = new Float32Array(this.metrics * room);
    this.values.set(values);
  }

  /** Epoch milliseconds of the newest look. */
  get last(): number {
    return this.looks === 0 ? Number.NEGATIVE_INFINITY : (this.times[(this.looks - 1) % kept] ?? 0);
  }

  /**
   * `count` means over equal parts of the time from `from` to `to` (epoch milliseconds), oldest first; null where nobody
   * looked. Of what was kept, the finest that reaches back to `from` is taken. A value counts for the time since the one
   * before it, unless that is so long ago that nobody looked in between.
   */
  spread(metric: number, from: number, to: number, count: number): (number | null)[] {
    const ms = (to - from) / count;
    const sums = new Array<number>(count).fill(0);
    const counts = new Array<number>(count).fill(0);
    let before: number | null = null;
    this.each(metric, from, to, (at, value, gapMs) => {
      const last = Math.min(count - 1, Math.floor((at - from) / ms));
      const follows = before !== null && at - before <= gapMs;
      const first = follows ? Math.floor(((before ?? at) - from) / ms) + 1 : last;
      before = at;
      for (let part = Math.max(0, Math.min(first, last)); part <= last; part += 1) {
        sums[part] = (sums[part] ?? 0) + value;
        counts[part] = (counts[part] ?? 0) + 1;
      }
    });
    return sums.map((sum, part) => (counts[part] ? sum / (counts[part] ?? 1) : null));
  }

  /** What was kept between two times, oldest first, with the longest pause to the one before that is no gap. */
  private each(
    metric: number,
    from: number,
    to: number,
    tell: (at: number, value: number, gapMs: number) => void,
  ): void {
    const oldest = this.looks <= kept ? Number.NEGATIVE_INFINITY : (this.times[this.looks % kept] ?? 0);
    if (oldest <= from) {
      for (let look = Math.max(0, this.looks - kept); look < this.looks; look += 1) {
        const at = this.times[look % kept] ?? 0;
        const value = this.values[(look % kept) * this.metrics + metric] ?? Number.NaN;
        if (at >= from && at <= to && !Number.isNaN(value)) tell(at, value, gapMs);
      }
      return;
    }
    const means = this.means.find((one) => one.ms * one.slots >= to - from) ?? this.means.at(-1);
    means?.each(metric, from, to, (at, value) => tell(at, value, Math.max(gapMs, 2.5 * means.ms)));
  }
}
