/**
 * Who is next: a line of waiting tasks for each place, with limits on places and on hosts. Places take turns, and so do the
 * runs that wait on one place, so that five hundred shutdowns of a host do not hold up the one start that comes after them.
 * Adding, taking and removing cost the same however many wait.
 */

export interface LaneTask {
  /** Which of the runs it belongs to. */
  run: number;
  place: string;
  host: string;
  /** Tasks at once on the place, and (null: not limited) on the host with all its places. */
  limits: { place: number; host: number | null };
}

interface Lane<T> {
  host: string;
  running: number;
  /** By run; the one whose turn it is first. */
  runs: Map<number, Set<T>>;
}

export class Lanes<T extends LaneTask> {
  private readonly lanes = new Map<string, Lane<T>>();
  private readonly onHost = new Map<string, number>();

  add(task: T): void {
    let lane = this.lanes.get(task.place);
    if (!lane) {
      lane = { host: task.host, running: 0, runs: new Map() };
      this.lanes.set(task.place, lane);
    }
    const waiting = lane.runs.get(task.run);
    if (waiting) waiting.add(task);
    else lane.runs.set(task.run, new Set([task]));
  }

  /** Takes back one that waits; false when it does not. */
  remove(task: T): boolean {
    const lane = this.lanes.get(task.place);
    const waiting = lane?.runs.get(task.run);
    if (!lane || !waiting?.delete(task)) return false;
    if (waiting.size === 0) lane.runs.delete(task.run);
    this.forget(task.place, lane);
    return true;
  }

  /** The next task that may begin, or null. It counts as running until `ended`. */
  next(): T | null {
    for (const [place, lane] of this.lanes) {
      const task = this.nextOf(lane);
      if (!task) continue;
      this.remove(task);
      lane.running += 1;
      this.onHost.set(lane.host, (this.onHost.get(lane.host) ?? 0) + 1);
      // Its turn is over, for the place and for the run there.
      this.lanes.delete(place);
      this.lanes.set(place, lane);
      const others = lane.runs.get(task.run);
      if (others && lane.runs.delete(task.run)) lane.runs.set(task.run, others);
      return task;
    }
    return null;
  }

  private nextOf(lane: Lane<T>): T | null {
    for (const waiting of lane.runs.values()) {
      const [first] = waiting;
      if (!first || lane.running >= first.limits.place) continue;
      if (first.limits.host === null || (this.onHost.get(lane.host) ?? 0) < first.limits.host) return first;
    }
    return null;
  }

  ended(task: T): void {
    const lane = this.lanes.get(task.place);
    if (!lane) return;
    lane.running -= 1;
    this.onHost.set(lane.host, (this.onHost.get(lane.host) ?? 1) - 1);
    this.forget(task.place, lane);
  }

  private forget(place: string, lane: Lane<T>): void {
    if (lane.running === 0 && lane.runs.size === 0) this.lanes.delete(place);
  }
}
