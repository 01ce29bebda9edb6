/** gnt-node list-storage and volumes, gnt-os diagnose: what the cluster's nodes keep disks on, and what they install. */
import type { Call } from "../machine/machine.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiInstance, GanetiNode } from "../world/ganeti.ts";
import { knownSystems } from "./ganeti-instances.ts";
import { type Fields, printTable } from "./ganeti-table.ts";

const usesGroup = ({ template }: GanetiInstance) => template === "plain" || template === "drbd";

interface Volume {
  node: GanetiNode;
  instance: GanetiInstance;
  name: string;
  size: number;
}

function volumesOf(ganeti: Ganeti): Volume[] {
  return ganeti.instances.filter(usesGroup).flatMap((instance) =>
    [instance.node, ...(instance.secondary ? [instance.secondary] : [])].flatMap((node) =>
      instance.disks.map((size, index) => {
        const kind = instance.template === "drbd" ? `disk${index}_data` : `disk${index}`;
        return { node, instance, name: `${instance.uuid}.${kind}`, size };
      }),
    ),
  );
}

export async function listStorage(call: Call, ganeti: Ganeti): Promise<number> {
  const { given } = options(call.args, "o output separator units storage-type");
  const type = given.get("storage-type") ?? "lvm-vg";
  const { diskTemplates, group } = ganeti.facts;
  const wanted = { "lvm-vg": ["plain", "drbd"], file: ["file"], sharedfile: ["sharedfile"] }[type] ?? [];
  if (!wanted.some((template) => diskTemplates.includes(template))) {
    await call.err(
      `Failure: prerequisites not met for this operation:\nNo disk template of storage type '${type}' is enabled in this cluster. Enabled disk templates are: ${diskTemplates.join(",")}\n`,
    );
    return 1;
  }
  const used = (node: GanetiNode) =>
    volumesOf(ganeti).reduce((sum, volume) => sum + (volume.node === node ? volume.size : 0), 0);
  const fields: Fields<GanetiNode> = {
    node: { title: "Node", kind: "text", value: ({ name }) => name },
    name: { title: "Name", kind: "text", value: () => (type === "lvm-vg" ? group : "/srv/ganeti/file-storage") },
    size: { title: "Size", kind: "size", value: ({ diskTotal }) => diskTotal },
    used: { title: "Used", kind: "size", value: (node) => used(node) },
    free: { title: "Free", kind: "size", value: (node) => node.diskTotal - used(node) },
    allocatable: { title: "Allocatable", kind: "text", value: () => "Y" },
  };
  await call.process.work(1);
  return printTable(call, fields, Object.keys(fields), ganeti.nodes);
}

export async function listVolumes(call: Call, ganeti: Ganeti): Promise<number> {
  const fields: Fields<Volume> = {
    node: { title: "Node", kind: "text", value: ({ node }) => node.name },
    phys: { title: "PhysDev", kind: "text", value: () => "/dev/sdb" },
    vg: { title: "VG", kind: "text", value: () => ganeti.facts.group },
    name: { title: "Name", kind: "text", value: ({ name }) => name },
    size: { title: "Size", kind: "size", value: ({ size }) => size },
    instance: { title: "Instance", kind: "text", value: ({ instance }) => instance.name },
  };
  await call.process.work(1);
  return printTable(call, fields, Object.keys(fields), volumesOf(ganeti));
}

export async function diagnoseSystems(call: Call, clusters: Clusters, ganeti: Ganeti): Promise<number> {
  await call.process.work(2);
  for (const system of knownSystems(call, clusters, ganeti)) {
    const [name = "", variant] = system.split("+");
    const variants = variant ? ` [variants: ${variant}]` : "";
    await call.out(
      `OS: ${name} [global status: valid]\n${variant ? `  Variants: [${variant}]\n` : ""}${ganeti.nodes
        .map(
          ({ uuid }) =>
            `  Node: ${uuid}, status: valid (path: /usr/share/ganeti/os/${name}) [API versions: 20, 15, 10, 5]${variants} [trusted]\n`,
        )
        .join("")}\n`,
    );
  }
  return 0;
}
