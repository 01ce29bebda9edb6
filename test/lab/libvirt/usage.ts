/** virtu's own libvirt provider and monitor on a lab host, beside what virsh says at the same time. */
import { createInventory } from "../../../source/instances/inventory.ts";
import type { InstanceRow, NodeRow } from "../../../source/instances/inventory-types.ts";
import { thresholdsOf } from "../../../source/monitor/limits.ts";
import { Monitor } from "../../../source/monitor/monitor.ts";
import { NodeMonitor } from "../../../source/monitor/nodes.ts";
import { parseDomstats } from "../../../source/tools/virsh-parse.ts";
import { ScriptedPool } from "../../instances/fake-pool.ts";
import type { LabNode } from "../nodes.ts";

/** Nanoseconds. */
export interface Counted {
  guest: number;
  busy: number;
  total: number;
}

export interface UsageLook {
  /** What virsh said before and after virtu looked: what virtu saw lies between. */
  before: Counted;
  after: Counted;
  instance: InstanceRow;
  node: NodeRow;
}

export class UsageLab {
  readonly monitor = new Monitor(thresholdsOf({}));
  readonly nodes = new NodeMonitor(thresholdsOf({}));
  private readonly inventory;

  constructor(
    private readonly host: LabNode,
    private readonly guest: string,
  ) {
    const pool = new ScriptedPool(async ({ line }) => {
      const { status, stdout, stderr } = await host.try(line);
      return { status, stdout, stderr };
    });
    this.inventory = createInventory({ pool, hosts: [{ name: host.name }] });
  }

  private async counted(): Promise<Counted> {
    const virsh = "LC_ALL=C virsh -c qemu:///system";
    const stats = parseDomstats(await this.host.exec(`${virsh} domstats ${this.guest} --raw`)).get(this.guest);
    const text = await this.host.exec(`${virsh} nodecpustats`);
    const of = (name: string) => Number(new RegExp(`^${name}: +(\\d+)$`, "m").exec(text)?.[1] ?? 0);
    const busy = of("user") + of("system") + of("intr");
    return { guest: Number(stats?.["cpu.time"]), busy, total: busy + of("idle") + of("iowait") };
  }

  async look(): Promise<UsageLook> {
    const before = await this.counted();
    await this.inventory.refresh();
    const after = await this.counted();
    const { instances, nodes } = this.inventory.view();
    this.monitor.observe(instances);
    this.nodes.observe(nodes);
    const instance = instances.find(({ name }) => name === this.guest);
    const [node] = nodes;
    if (!instance || !node) throw new Error(`${this.guest} or its node was not read`);
    return { before, after, instance, node };
  }

  end(): void {
    this.inventory.end();
  }
}
