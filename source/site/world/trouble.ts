/** Scenarios that befall one node of those that are set up: the first that comes by. */
import type { Clock } from "../clock.ts";
import type { ScenarioName } from "../options.ts";
import type { NodeSystem, Trouble } from "./node-system.ts";
import type { Node } from "./testbed.ts";

/** Seconds that the other one keeps dpkg's lock. */
const lockSeconds = 60;

export class Troubles {
  private readonly victims = new Map<ScenarioName, Node>();
  private readonly over = new Set<ScenarioName>();
  /** Scenarios that have passed over a node which another one had befallen. */
  private readonly passed = new Set<ScenarioName>();

  constructor(
    private readonly clock: Clock,
    private readonly has: (name: ScenarioName) => boolean,
    private readonly die: (node: Node) => void,
  ) {}

  /** Whether the scenario is this node's. */
  private hits(name: ScenarioName, node: Node): boolean {
    if (!this.has(name)) return false;
    if (!this.victims.has(name)) {
      // The first node of a cluster is mostly the one that all others need.
      if (name === "node-dies-in-install" && node.number === 1) return false;
      // Scenarios befall different nodes where there are several.
      if ([...this.victims.values()].includes(node) && !this.passed.has(name)) {
        this.passed.add(name);
        return false;
      }
      this.victims.set(name, node);
    }
    return this.victims.get(name) === node;
  }

  /** As `hits`, but only once. */
  private hitsOnce(name: ScenarioName, node: Node): boolean {
    if (this.over.has(name) || !this.hits(name, node)) return false;
    this.over.add(name);
    return true;
  }

  /** Switched on or off: the next node that comes by is the one. */
  reset(name: ScenarioName): void {
    this.victims.delete(name);
    this.over.delete(name);
    this.passed.delete(name);
  }

  /** For one node; `system` is asked when something happens. */
  for(node: Node, system: () => NodeSystem): Trouble {
    return {
      beforeLock: ({ machine }) => {
        const { packages } = system();
        if (!packages || !this.hitsOnce("node-loses-apt-lock", node)) return;
        const holder = { pid: 977, name: "unattended-upgr" };
        packages.lock = holder;
        machine.files.makeDirectory(`/proc/${holder.pid}`, "root", { parents: true });
        machine.files.writeText(`/proc/${holder.pid}/comm`, `${holder.name}\n`);
        this.clock.after(lockSeconds, () => {
          if (packages.lock === holder) packages.lock = null;
          machine.files.remove(`/proc/${holder.pid}`);
        });
      },
      failingPackage: (changes) => {
        const upgraded = changes.filter(({ before }) => before !== null);
        const last = upgraded.at(-1);
        return last && this.hitsOnce("node-fails-upgrade", node) ? last : null;
      },
      slowness: () => (this.hits("slow-upgrade", node) ? 10 : 1),
      dies: async (call, changes) => {
        if (!changes.some(({ name }) => name === "ganeti") || !this.hits("node-dies-in-install", node)) return false;
        await call.process.work(10);
        this.die(node);
        return true;
      },
    };
  }
}
