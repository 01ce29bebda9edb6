/** The hardware of the site: nodes, and the resources that OAR knows of them. */
import type { Machine } from "../machine/machine.ts";
import type { NodeSystem } from "./node-system.ts";

export const domain = "demo";

/** What a node runs since its last deployment. */
export interface Deployed {
  environment: string;
  version: string;
  /** Public keys of root. */
  keys: string;
  machine: Machine;
  /** Its packages, disks, network. */
  system: NodeSystem;
  /** OpenSSH private key of its sshd: a new one after each deployment. */
  hostKey: string;
  /** Its sshd answers. */
  listening: boolean;
}

export interface Node {
  /** `paravance-1.demo`. */
  name: string;
  cluster: string;
  number: number;
  address: string;
  mac: string;
  memoryMiB: number;
  diskGiB: number;
  state: "Alive" | "Absent" | "Suspected" | "Dead";
  deployed: Deployed | null;
}

/** One row of OAR's table: a core of a node, or a subnet. */
export interface Resource {
  id: number;
  node: Node | null;
  core: number | null;
  cpu: number | null;
  cpuset: number;
  /** Number of the subnet, from 1. */
  subnet: number | null;
}

export const coresPerNode = 4;
const subnetCount = 64;

/** `10.158.0.0`, the first address of a /22 of the site. */
export function subnetAddress(number: number): string {
  const offset = (number - 1) * 4;
  return `10.${156 + Math.floor(offset / 256)}.${offset % 256}.0`;
}

export class Testbed {
  readonly nodes: Node[] = [];
  readonly resources: Resource[] = [];
  private readonly byName = new Map<string, Node>();
  private readonly cores = new Map<Node, Resource[]>();

  /** `free` nodes for the user, and some more that are taken or out of order. */
  constructor(free: number) {
    const first = Math.ceil((free * 2) / 3);
    this.addCluster("paravance", first, { memoryMiB: 131_072, diskGiB: 600 });
    this.addCluster("parasilo", free - first + 3, { memoryMiB: 131_072, diskGiB: 558 });
    const last = this.nodes.at(-1);
    if (last) last.state = "Suspected";
    for (let number = 1; number <= subnetCount; number += 1) {
      this.resources.push({
        id: this.resources.length + 1,
        node: null,
        core: null,
        cpu: null,
        cpuset: 0,
        subnet: number,
      });
    }
  }

  private addCluster(cluster: string, count: number, hardware: Pick<Node, "memoryMiB" | "diskGiB">): void {
    for (let number = 1; number <= count; number += 1) {
      const host = (cluster === "paravance" ? 0 : 256) + number;
      const node: Node = {
        name: `${cluster}-${number}.${domain}`,
        cluster,
        number,
        address: `172.16.${96 + Math.floor(host / 256)}.${host % 256}`,
        mac: `ec:f4:bb:d0:${Math.floor(host / 256)
          .toString(16)
          .padStart(2, "0")}:${(host % 256).toString(16).padStart(2, "0")}`,
        ...hardware,
        state: "Alive",
        deployed: null,
      };
      this.nodes.push(node);
      this.byName.set(node.name, node);
      const rows: Resource[] = [];
      for (let core = 0; core < coresPerNode; core += 1) {
        const id = this.resources.length + core + 1;
        const cpu = (this.nodes.length - 1) * 2 + Math.floor(core / 2) + 1;
        rows.push({ id, node, core: id, cpu, cpuset: core, subnet: null });
      }
      this.resources.push(...rows);
      this.cores.set(node, rows);
    }
  }

  node(name: string): Node | undefined {
    return this.byName.get(name) ?? this.byName.get(`${name}.${domain}`);
  }

  /** The node's rows. */
  coresOf(node: Node): Resource[] {
    return this.cores.get(node) ?? [];
  }

  /** A resource's columns as OAR prints them; null where it has none. */
  properties(resource: Resource): Record<string, string | number | null> {
    const { node, subnet } = resource;
    const slash = (bits: number) => (subnet === null ? null : Math.floor((subnet - 1) / 2 ** (22 - bits)) + 1);
    return {
      type: subnet === null ? "default" : "subnet",
      network_address: node?.name ?? "",
      host: node?.name ?? null,
      cluster: node?.cluster ?? null,
      cpu: resource.cpu,
      core: resource.core,
      cpuset: String(resource.cpuset),
      deploy: "YES",
      besteffort: subnet === null ? "YES" : "NO",
      desktop_computing: "NO",
      drain: "NO",
      available_upto: 2_147_483_647,
      last_available_upto: 0,
      memnode: node?.memoryMiB ?? null,
      disktype: node ? "SATA" : null,
      virtual: node ? "ivt" : null,
      subnet_address: subnet === null ? null : subnetAddress(subnet),
      subnet_prefix: subnet === null ? null : 22,
      slash_16: slash(16),
      slash_17: slash(17),
      slash_18: slash(18),
      slash_19: slash(19),
      slash_20: slash(20),
      slash_21: slash(21),
      slash_22: slash(22),
    };
  }
}
