/** Who looks at which hosts, and how often each of them wants to be asked. */
import type { WatchOptions } from "./inventory-types.ts";

export class Watchers {
  private readonly all = new Set<WatchOptions>();

  /** What it returns takes it away again; true when it had not been taken away before. */
  add(options: WatchOptions): () => boolean {
    const watcher = { ...options };
    this.all.add(watcher);
    return () => this.all.delete(watcher);
  }

  get none(): boolean {
    return this.all.size === 0;
  }

  private of(host: string): WatchOptions[] {
    return [...this.all].filter(({ hosts }) => !hosts || hosts.includes(host));
  }

  /** Milliseconds between two refreshes of a host, `usual` for those who named none; null: nobody looks at it. */
  everyMs(host: string, usual: number): number | null {
    const every = this.of(host).map(({ everyMs }) => everyMs ?? usual);
    return every.length > 0 ? Math.min(...every) : null;
  }

  /** How old the numbers of what is used may be there; null: nobody looks at them. */
  usageWithinMs(host: string, usual: number): number | null {
    const within = this.of(host).flatMap(({ usage, everyMs }) => (usage ? [everyMs ?? usual] : []));
    return within.length > 0 ? Math.min(...within) : null;
  }
}
