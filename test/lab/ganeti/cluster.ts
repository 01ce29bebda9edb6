/** A real Ganeti cluster: two nodes, instances without disks, of the fake hypervisor and where asked for of KVM. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VirtuError } from "../../../source/errors.ts";
import { discover } from "../../../source/instances/discover.ts";
import { GanetiProvider } from "../../../source/instances/ganeti.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { Pool } from "../../../source/ssh/types.ts";
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

/** With QEMU, and a small guest in /var/lib/lab. */
const packages = [
  "ganeti",
  "ganeti-os-noop",
  "bridge-utils",
  "qemu-system-x86",
  "socat",
  "busybox-static",
  "cpio",
  "xz-utils",
];

/** Emulated (TCG), the same on every machine. Ganeti adds the serial line to the kernel's arguments. */
const hypervisorParameters = [
  "kvm_path=/usr/bin/qemu-system-x86_64",
  "kvm_flag=disabled",
  "kernel_path=/var/lib/lab/vmlinuz",
  "initrd_path=/var/lib/lab/login.gz",
  "serial_console=true",
].join(",");

export interface GanetiLabOptions {
  /** Guests of KVM that are there at the start, off, with their primary nodes. Those named `deaf…` mind no power button. */
  guests?: Readonly<Record<string, "node1" | "node2">>;
}

export async function openGaneti(teardown: Teardown, { guests = {} }: GanetiLabOptions = {}): Promise<GanetiLab> {
  const scripts = ["../libvirt/guest.sh", "guest.sh"].map((file) =>
    readFileSync(join(import.meta.dirname, file), "utf8"),
  );
  const root = await rootWith("ganeti", packages, scripts.join("\n"));
  const network = await openNetwork(teardown);
  const { domain } = network;
  const names = ["node1", "node2", "cluster1", ...Object.keys(instances), ...Object.keys(guests)];
  for (const name of names) network.address(name);
  const [master, other] = await Promise.all([
    startNode(teardown, network, { name: "node1", root }),
    startNode(teardown, network, { name: "node2", root }),
  ]);
  await shareHosts(network, [master, other]);
  const hypervisors =
    Object.keys(guests).length === 0
      ? "--enabled-hypervisors=fake"
      : `--enabled-hypervisors=fake,kvm --hypervisor-parameters=kvm:${hypervisorParameters}`;
  await master.exec(`gnt-cluster init ${hypervisors} --enabled-disk-templates=diskless \\
    --master-netdev=br0 --nic-parameters=link=br0 --no-etc-hosts cluster1.${domain}`);
  const key = await master.exec("cat /root/.ssh/id_*.pub");
  await other.exec("cat >>/root/.ssh/authorized_keys", { input: `${key}\n` });
  await master.exec(`gnt-node add --no-ssh-key-check node2.${domain}`);
  for (const [name, node] of Object.entries(instances)) {
    await master.exec(`gnt-instance add -t diskless -o noop -n ${node}.${domain} --no-name-check --no-ip-check \\
      -B memory=128,vcpus=2 ${name}.${domain}`);
  }
  for (const [name, node] of Object.entries(guests)) {
    const words = ["quiet no_timer_check panic=5", `hostname=${name}`, ...(name.startsWith("deaf") ? ["deaf"] : [])];
    await master.exec(`gnt-instance add -H 'kvm:kernel_args=${words.join(" ")},vnc_bind_address=127.0.0.1' \\
      -t diskless -o noop -n ${node}.${domain} --no-name-check --no-ip-check --no-start \\
      -B memory=128,vcpus=1 ${name}.${domain}`);
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

export interface Providers {
  pool: Pool;
  luxi: GanetiProvider;
  /** The same without LUXI: as where sshd forbids the forwarding of sockets. */
  gnt: GanetiProvider;
}

/** The cluster as a program sees it that has virtu's own parts in it. */
export async function openProviders(teardown: Teardown, { network, master, other }: GanetiLab): Promise<Providers> {
  // This process is not on the nodes' network: it reaches node1 and node2 by a program that is.
  const way = [...network.prefix, "socat", "-", "TCP:%h:%p"].join(" ");
  const sshConfig = await writeSshConfig(network, [master, other], `Host node1 node2\n  ProxyCommand ${way}\n`);
  const asker = { secret: async () => null, hostKey: async () => "no" as const };
  const pool = createPool({ sshConfig, asker });
  teardown.add(() => pool.end());
  const forbidden = new VirtuError({ kind: "refused", what: "The host forbids forwarding" });
  const without: Pool = Object.create(pool, { forward: { value: () => Promise.reject(forbidden) } });
  const [luxi, gnt] = await Promise.all([providerOn(pool), providerOn(without)]);
  return { pool, luxi, gnt };
}

async function providerOn(pool: Pool): Promise<GanetiProvider> {
  const known = [{ name: "node1" }, { name: "node2" }];
  const [provider] = (await discover(pool, { name: "node1" }, { known })).providers;
  if (!(provider instanceof GanetiProvider)) throw new Error("node1 is no node of a cluster");
  return provider;
}
