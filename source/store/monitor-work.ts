/** What instances use, followed from what the inventory reads anyway: nothing is asked of a host for it alone. */
import type { InventoryView } from "../instances/inventory-types.ts";
import { type Alarm, Monitor, type Thresholds } from "../monitor/monitor.ts";
import type { Workspace } from "./workspace.ts";

/** Where nobody looks, thresholds are still watched, once in so many milliseconds. */
const thresholdsEveryMs = 60_000;

const metricWords: Record<Alarm["metric"], string> = { cpu: "CPU", memory: "memory" };

export class MonitorWork {
  readonly monitor: Monitor;
  private seen = 0;
  private readonly unwatch: () => void;

  constructor(
    private readonly workspace: Workspace,
    private readonly thresholds: Thresholds,
  ) {
    this.monitor = new Monitor(thresholds);
    const wanted = thresholds.cpu !== null || thresholds.memory !== null;
    this.unwatch = wanted ? workspace.inventory.watch({ everyMs: thresholdsEveryMs }) : () => undefined;
  }

  /** Takes what the inventory shows; quick when no host has answered anew. */
  see(view: InventoryView): void {
    const seen = view.hosts.reduce((newest, { seenAt }) => Math.max(newest, seenAt ?? 0), 0);
    if (seen === this.seen) return;
    this.seen = seen;
    for (const alarm of this.monitor.observe(view.instances)) this.tell(alarm);
  }

  private tell({ host, name, metric, value, limit, on }: Alarm): void {
    const what = metricWords[metric];
    const text = on
      ? `${what} at ${Math.round(value)} %, above ${limit} % for ${this.thresholds.seconds} s`
      : `${what} is below ${limit} % again`;
    this.workspace.log(on ? "warning" : "info", `${host}/${name}`, text);
    if (on) this.workspace.notify("warning", `${name}: ${text}`);
  }

  end(): void {
    this.unwatch();
  }
}
