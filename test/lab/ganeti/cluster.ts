/** A real Ganeti cluster: two nodes, the fake hypervisor, instances without disks. */
import type { Teardown } from "../lab.ts";
import { type LabNode, type Network, openNetwork, shareHosts, startNode, writeSshConfig } from "../nodes.ts";
import { rootWith } from "../roots.ts";

export interface GanetiLab {
  network: Network;
  /** `node1` is the master. */
  master: LabNode;
  other: LabNode;
  clusterName: string;
  sshConfig: string;
  /** An instance's full name. */
  instance(name: string): string;
  /** What `gnt-instance list` says of a field, on the master, not through SSH. */
  ask(name: string, field: string): Promise<string>;
  /** A field of `gnt-job list`. */
  job(id: string, field: string): Promise<string>;
}

/** Primary node of each instance made; all of them run at the start. */
const instances = { web1: "node1", web2: "node2", db1: "node1", db2: "node2" } as const;

export async function openGaneti(teardown: Teardown): Promise<GanetiLab> {
  const root = await rootWith("ganeti", ["ganeti", "ganeti-os-noop", "bridge-utils"]);
  const network = await openNetwork(teardown);
  const { domain } = network;
  const names = ["node1", "node2", "cluster1", ...Object.keys(instances)];
  for (const name of names) network.address(name);
  const [master, other] = await Promise.all([
    startNode(teardown, network, { name: "node1", root }),
    startNode(teardown, network, { name: "node2", root }),
  ]);
  await shareHosts(network, [master, other]);
  await master.exec(`gnt-cluster init --enabled-hypervisors=fake --enabled-disk-templates=diskless \\
    --master-netdev=br0 --nic-parameters=link=br0 --no-etc-hosts cluster1.${domain}`);
  const key = await master.exec("cat /root/.ssh/id_*.pub");
  await other.exec("cat >>/root/.ssh/authorized_keys", { input: `${key}\n` });
  await master.exec(`gnt-node add --no-ssh-key-check node2.${domain}`);
  for (const [name, node] of Object.entries(instances)) {
    await master.exec(`gnt-instance add -t diskless -o noop -n ${node}.${domain} --no-name-check --no-ip-check \\
      -B memory=128,vcpus=2 ${name}.${domain}`);
  }
  // Adding a node gives it new host keys: only now they are what they will be.
  const sshConfig = await writeSshConfig(network, [master, other]);
  const ask = (command: string, field: string, what: string) =>
    master.exec(`${command} list --no-headers --separator='|' -o ${field} ${what}`);
  return {
    network,
    master,
    other,
    clusterName: `cluster1.${domain}`,
    sshConfig,
    instance: (name) => `${name}.${domain}`,
    ask: (name, field) => ask("gnt-instance", field, `${name}.${domain}`),
    job: (id, field) => ask("gnt-job", field, id),
  };
}
