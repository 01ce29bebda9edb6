/** The cluster that the site has from the beginning. */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { Ganeti, type GanetiInstance, type GanetiNode } from "./ganeti.ts";
import { domain } from "./testbed.ts";

const guests: readonly (readonly [
  string,
  number,
  number,
  number,
  GanetiInstance["admin"],
  boolean,
  GanetiInstance["template"],
])[] = [
  // name, node, vCPUs, MiB, wanted state, alive, disk template
  ["web1", 0, 2, 1024, "up", true, "drbd"],
  ["web2", 1, 2, 1024, "up", true, "drbd"],
  ["db1", 2, 4, 4096, "up", true, "plain"],
  ["db2", 1, 4, 4096, "down", false, "plain"],
  ["mail", 0, 1, 512, "up", true, "drbd"],
  ["ci-runner", 2, 2, 2048, "up", false, "plain"],
  ["proxy", 1, 1, 256, "up", true, "diskless"],
  ["backup", 2, 1, 512, "offline", false, "plain"],
  ["wiki", 0, 1, 768, "down", false, "drbd"],
  ["monitor", 1, 2, 1024, "up", true, "plain"],
];

export function demoCluster(clock: Clock, random: Random): Ganeti {
  const uuid = random.uuid();
  const nodes = [1, 2, 3].map(
    (number): GanetiNode => ({
      name: `gnt${number}.${domain}`,
      role: number === 1 ? "M" : "C",
      uuid: random.uuid(),
      address: `192.168.77.${10 + number}`,
      memoryTotal: 24_105,
      memoryNode: 839,
      diskTotal: 60_167,
      cpus: 8,
    }),
  );
  const instances = guests.map(
    ([name, node, vcpus, memory, admin, alive, template], index): GanetiInstance => ({
      name: `${name}.${domain}`,
      uuid: random.uuid(),
      node: nodes[node] as GanetiNode,
      secondary: template === "drbd" ? (nodes[(node + 1) % 3] as GanetiNode) : null,
      admin,
      alive,
      vcpus,
      memory,
      minimum: Math.floor(memory / 2),
      template,
      disks: template === "diskless" ? [] : [template === "plain" ? 10_240 : 4096],
      os: "debootstrap+default",
      tags: name.startsWith("web") ? ["env:prod", "owner:jdoe"] : [],
      mac: `aa:00:00:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
      port: 11_000 + index,
      created: clock.now() - (10 + index) * 86_400_000,
    }),
  );
  return new Ganeti(clock, {
    name: `gnt.${domain}`,
    uuid,
    nodes,
    instances,
    hypervisors: ["kvm"],
    diskTemplates: ["plain", "drbd", "diskless"],
    version: "3.0.2-3",
    group: "xenvg",
    netdev: "br0",
    parameters: new Map(),
  });
}
