/** What instances and nodes use, followed from what the inventory reads. */
import type { InventoryView } from "../instances/inventory-types.ts";
import { type Alarm, type Limited, type Thresholds, thresholdsOf } from "../monitor/limits.ts";
import { Monitor } from "../monitor/monitor.ts";
import { NodeMonitor } from "../monitor/nodes.ts";
import type { Workspace } from "./workspace.ts";

/** Where nobody looks, thresholds are still watched, once in so many milliseconds. */
const thresholdsEveryMs = 60_000;

const metricWords: Record<Limited, string> = { cpu: "CPU", memory: "memory", storage: "storage" };

export class MonitorWork {
  readonly monitor: Monitor;
  readonly nodes: NodeMonitor;
  private readonly thresholds: Thresholds;
  private seen = 0;
  private readonly unwatch: () => void;

  constructor(
    private readonly workspace: Workspace,
    given: Partial<Thresholds>,
  ) {
    this.thresholds = thresholdsOf(given);
    this.monitor = new Monitor(this.thresholds);
    this.nodes = new NodeMonitor(this.thresholds);
    // What is in force without being asked for is told to those who look; nothing is asked for it alone.
    const wanted = [given.cpu, given.memory, given.storage].some((limit) => typeof limit === "number");
    const watch = { everyMs: thresholdsEveryMs, usage: true };
    this.unwatch = wanted ? workspace.inventory.watch(watch) : () => undefined;
  }

  /** Takes what the inventory shows; quick when no host has answered anew. */
  see(view: InventoryView): void {
    const seen = view.hosts.reduce((newest, { seenAt }) => Math.max(newest, seenAt ?? 0), 0);
    if (seen === this.seen) return;
    this.seen = seen;
    for (const alarm of this.monitor.observe(view.instances)) this.tell(alarm);
    for (const alarm of this.nodes.observe(view.nodes)) this.tell(alarm);
  }

  /** Epoch milliseconds of the newest answer that was taken; 0: none yet. */
  get seenAt(): number {
    return this.seen;
  }

  private tell(alarm: Alarm): void {
    const { host, name, what, pool, metric, value, limit, on } = alarm;
    const seconds = metric === "storage" ? "" : ` for ${this.thresholds.seconds} s`;
    const subject = pool ? `pool ${pool}` : metricWords[metric];
    const now = metric === "storage" ? `${Math.round(value)} % full` : `at ${Math.round(value)} %`;
    const text = on ? `${subject} ${now}, above ${limit} %${seconds}` : `${subject} is below ${limit} % again`;
    const where = what === "instance" || name !== host ? `${host}/${name}` : host;
    this.workspace.log(on ? "warning" : "info", where, text);
    if (on) this.workspace.notify("warning", `${name}: ${text}`);
  }

  end(): void {
    this.unwatch();
  }
}
