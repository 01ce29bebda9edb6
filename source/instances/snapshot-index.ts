/** The instances and nodes of a snapshot by their key, made once for each snapshot. */
import type { HostNode, Instance, Snapshot } from "./types.ts";

interface Index {
  instances: ReadonlyMap<string, Instance>;
  nodes: ReadonlyMap<string, HostNode>;
}

const known = new WeakMap<Snapshot, Index>();

export function indexOf(snapshot: Snapshot): Index {
  let index = known.get(snapshot);
  if (!index) {
    index = {
      instances: new Map(snapshot.instances.map((instance) => [instance.key, instance])),
      nodes: new Map(snapshot.nodes.map((node) => [node.key, node])),
    };
    known.set(snapshot, index);
  }
  return index;
}
