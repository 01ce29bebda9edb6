/**
 * Storage of a cluster's nodes, its networks and its OS definitions: to be looked at. Ganeti makes and removes disks with
 * their instances, so that nothing is changed here.
 */
import { VirtuError } from "../errors.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { type GanetiStoresAnswer, ganetiStoresCommand, parseGanetiStores } from "../tools/ganeti-stores.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { StoragePool, StoreProblem, Stores, StoreView } from "./stores-types.ts";
import type { ActionOutcome, ProviderOptions } from "./types.ts";

/** Five jobs of the cluster at most, each of which may wait for others that hold the nodes. */
const listLimitMs = 180_000;

const partNames: Readonly<Record<string, string>> = {
  volumes: "the volumes of its nodes",
  networks: "its networks",
  systems: "its OS definitions",
};

export class GanetiStores implements Stores {
  /** Each look is some jobs in the cluster's own list. */
  readonly everyMs = 120_000;

  constructor(private readonly master: GanetiMaster) {}

  async list(options: ProviderOptions): Promise<StoreView> {
    const answer = await this.master.ask(ganetiStoresCommand, "reading storage and networks", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const found = parseGanetiStores(answer.stdout);
    if (found) return viewOf(found, answer.stderr);
    throw new VirtuError({
      kind: "refused",
      what: "Ganeti did not tell its storage and networks",
      where: this.master.target.name,
      ...explainGaneti(answer.stderr),
      detail: answer.stderr.trim() || undefined,
    });
  }

  refuses(): string {
    return "Ganeti makes and removes disks with their instances; its networks are gnt-network's";
  }

  preview(): string[] {
    return [];
  }

  async act(): Promise<ActionOutcome> {
    return { ok: false, job: null, text: null, error: this.refuses(), detail: null };
  }
}

function viewOf({ storage, networks, systems, failed }: GanetiStoresAnswer, stderr: string): StoreView {
  const short = (node: string) => node.split(".")[0] ?? node;
  return {
    pools: storage.map(
      ({ node, type, name, sizeMiB, freeMiB, allocatable, volumes }): StoragePool => ({
        ...{ name: `${short(node)}:${name}`, active: allocatable, autostart: true, type, target: type },
        ...{ sizeMiB, freeMiB },
        volumes: volumes.map((volume) => ({
          ...{ name: volume.name, path: volume.path, sizeMiB: volume.sizeMiB, takenMiB: volume.sizeMiB },
          usedBy: volume.instance === null ? [] : [volume.instance],
        })),
      }),
    ),
    networks: networks.map(({ name, subnet, groups, instances }) => ({
      ...{ name, active: groups.length > 0, autostart: true, bridge: groups.join(" ") || null },
      ...{ forward: "ganeti", address: subnet, dhcp: null, leases: [], usedBy: instances },
    })),
    systems: systems.map(({ name, status, variants, troubles }) => ({
      ...{ name, variants, valid: status === "valid", troubles },
    })),
    problems: failed.map((part): StoreProblem => {
      const type = /^storage (.*)$/.exec(part)?.[1];
      const what = type ? `storage of the type ${type}` : (partNames[part] ?? part);
      return { what, ...explainGaneti(stderr) };
    }),
  };
}
