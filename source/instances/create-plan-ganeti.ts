/** What a plan must know of Ganeti. Pure. */
import type { GanetiOffers } from "../tools/ganeti-offers.ts";
import { checkGaneti } from "./create-check-ganeti.ts";
import type { Planning } from "./create-planning.ts";
import type { GanetiRequest } from "./create-types.ts";

function freeMemory({ nodes }: GanetiOffers): number {
  return Math.max(0, ...nodes.filter(({ usable }) => usable).map((node) => node.memoryFreeMiB ?? 0));
}

export const ganetiPlanning: Planning = {
  identified: false,
  check: checkGaneti,
  freeMemory,
  without(offers: GanetiOffers, { placement, nics, memoryMiB }: GanetiRequest): GanetiOffers {
    // Where the allocator puts it nobody knows beforehand: mostly on the node with the most memory.
    const most = freeMemory(offers);
    const target =
      placement.kind === "node"
        ? offers.nodes.find(({ name }) => name === placement.primary || name.startsWith(`${placement.primary}.`))
        : offers.nodes.find(({ usable, memoryFreeMiB }) => usable && memoryFreeMiB === most);
    const nodes = offers.nodes.map((node) =>
      node === target && node.memoryFreeMiB !== null
        ? { ...node, memoryFreeMiB: node.memoryFreeMiB - memoryMiB }
        : node,
    );
    return { ...offers, ips: [...offers.ips, ...(nics ?? []).flatMap(({ ip }) => ip ?? [])], nodes };
  },
  addresses: ({ ips }: GanetiOffers) => ips,
  settle: (request) => request,
  where({ placement }: GanetiRequest, offers: GanetiOffers | null) {
    if (placement.kind === "node") return [placement.primary, placement.secondary].filter(Boolean).join(":");
    return `by ${placement.name ?? offers?.allocator ?? "the allocator"}`;
  },
  shared: () => [],
  files: () => [],
};
