/** Which cluster a host belongs to: the site's own, and those that are made on deployed nodes. */
import type { Machine } from "../machine/machine.ts";
import type { Random } from "../random.ts";
import type { Ganeti, GanetiNode } from "./ganeti.ts";
import { keepProcesses } from "./ganeti-processes.ts";
import type { NodeSystem } from "./node-system.ts";

const directory = "/var/lib/ganeti";
const ssconf = ["cluster_name", "master_node", "nodegroups", "node_list", "release_version"] as const;

export class Clusters {
  private readonly byMachine = new Map<Machine, Ganeti>();
  private readonly stops = new Map<Machine, () => void>();

  constructor(
    readonly random: Random,
    /** The deployed node that has an address and answers there. */
    readonly systemAt: (address: string) => NodeSystem | null,
  ) {}

  of(machine: Machine): Ganeti | null {
    return this.byMachine.get(machine) ?? null;
  }

  /** Clusters that were made here, each once. */
  all(): Ganeti[] {
    return [...new Set(this.byMachine.values())];
  }

  join(machine: Machine, ganeti: Ganeti): void {
    this.forget(machine);
    this.byMachine.set(machine, ganeti);
    this.stops.set(machine, keepProcesses(machine, ganeti));
  }

  forget(machine: Machine): void {
    this.byMachine.delete(machine);
    this.stops.get(machine)?.();
    this.stops.delete(machine);
  }

  /** Another member of the cluster that a machine belongs to, by its full name: there its master logs in by Ganeti's own keys. */
  peer(machine: Machine, name: string): Machine | null {
    const ganeti = this.of(machine);
    const found = [...this.byMachine].find(([other, its]) => its === ganeti && other.name === name);
    return (ganeti && found?.[0]) ?? null;
  }

  /** The machine is no member any more, and keeps no file of the cluster. */
  leave(machine: Machine): void {
    this.forget(machine);
    for (const file of ssconf) machine.files.remove(`${directory}/ssconf_${file}`);
  }

  /** A deployed node as Ganeti sees it. */
  member(system: NodeSystem, name: string, role: GanetiNode["role"], group: string | null): GanetiNode {
    const { node, machine, storage } = system;
    const found = storage.groups.find((one) => one.name === group);
    return {
      name,
      role,
      uuid: this.random.uuid(),
      address: node.address,
      memoryTotal: node.memoryMiB - 2100,
      memoryNode: 612,
      diskTotal: found ? Math.floor(storage.sizeOf(found) / 2 ** 20) : 0,
      cpus: 16,
      answers: () => this.systemAt(node.address)?.machine === machine,
    };
  }

  /** Writes what every member keeps of the cluster in files. */
  writeFiles(ganeti: Ganeti): void {
    const { name, master, nodes, groupUuid } = ganeti;
    for (const [machine, cluster] of this.byMachine) {
      if (cluster !== ganeti) continue;
      const write = (file: (typeof ssconf)[number], text: string) => {
        machine.files.makeDirectory(directory, "root", { parents: true });
        machine.files.writeText(`${directory}/ssconf_${file}`, `${text}\n`);
      };
      write("cluster_name", name);
      write("master_node", master.name);
      write("nodegroups", `${groupUuid} default`);
      write("node_list", nodes.map((node) => node.name).join("\n"));
      write("release_version", ganeti.facts.version.replace(/-.*/, ""));
    }
  }
}
