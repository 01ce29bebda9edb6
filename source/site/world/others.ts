/** Jobs of other people, which take nodes away. */
import type { Oar } from "./oar.ts";
import type { Node } from "./testbed.ts";

/** Lets somebody else have these nodes from now on for so many real seconds; what is returned ends that at once. */
export function occupy(oar: Oar, nodes: readonly Node[], owner: string, seconds: number): () => void {
  const free = nodes.filter((node) => node.state === "Alive" && !oar.holder(node));
  const job = oar.submit({
    owner,
    name: null,
    project: "default",
    queue: "default",
    types: ["deploy"],
    command: "sleep infinity",
    directory: `/home/${owner}`,
    request: "",
    wanted: {
      nodes: free.length,
      subnets: 0,
      subnetBits: 22,
      walltime: seconds,
      fits: () => true,
      groups: `{type = 'default'}/network_address=${free.length}`,
      defaultWalltime: false,
    },
    hold: false,
    start: null,
  });
  job.nodes = free;
  oar.start(job);
  return () => oar.remove(job, owner);
}
