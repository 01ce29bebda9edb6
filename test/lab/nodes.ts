/** Nodes of the lab: machines as far as their programs can tell, on a network of their own, gone with their first process. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Daemon,
  daemon,
  installPackages,
  must,
  type Ran,
  type RunOptions,
  run,
  type Teardown,
  until,
} from "./lab.ts";

const nodeInit = join(dirname(fileURLToPath(import.meta.url)), "node-init.sh");

export interface Network {
  /** Words that run a program on this network: nothing of it is reachable from anywhere else. */
  readonly prefix: readonly string[];
  /** Name of the bridge that the nodes are plugged into. */
  readonly bridge: string;
  /** The address of a name; the same name always has the same one. */
  address(name: string): string;
  /** Lines for /etc/hosts: every name that has an address, as `NAME.DOMAIN NAME`. */
  hosts(): string;
  readonly domain: string;
  /** Key that the nodes' root accepts. */
  readonly identity: string;
  readonly directory: string;
}

/** Opens a network with a switch; programs started with its `prefix` reach the nodes, and nothing else. */
export async function openNetwork(teardown: Teardown, domain = "lab.example.org"): Promise<Network> {
  await installPackages("iproute2", "openssh-client");
  const directory = teardown.directory("nodes");
  const holder = daemon(teardown, join(directory, "network.log"), "unshare", ["--net", "sleep", "infinity"]);
  const prefix = ["nsenter", `--net=/proc/${holder.pid}/ns/net`, "--"];
  const [nsenter = "", ...into] = prefix;
  // unshare has made its namespace when sleep runs in its place.
  await until("the network's namespace", async () => {
    const links = await run("readlink", ["/proc/self/ns/net", `/proc/${holder.pid}/ns/net`]);
    const [ours, theirs] = links.stdout.split("\n");
    return theirs !== "" && theirs !== ours;
  });
  const setup =
    "ip link set lo up; ip link add switch type bridge; ip addr add 10.99.0.254/24 dev switch; ip link set switch up";
  await must(nsenter, [...into, "sh", "-ec", setup]);
  const identity = join(directory, "id");
  await must("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", identity]);
  const addresses = new Map<string, string>();
  return {
    prefix,
    bridge: "switch",
    domain,
    identity,
    directory,
    address(name) {
      const known = addresses.get(name) ?? `10.99.0.${11 + addresses.size}`;
      addresses.set(name, known);
      return known;
    },
    hosts: () =>
      [
        "127.0.0.1 localhost",
        ...[...addresses].map(([name, address]) => `${address} ${name}.${domain} ${name}`),
        "",
      ].join("\n"),
  };
}

export interface LabNode {
  readonly name: string;
  readonly address: string;
  /** Runs a shell script on the node directly, not through SSH. Throws unless its exit status is 0. */
  exec(script: string, options?: RunOptions): Promise<string>;
  /** The same, giving whatever came of it. */
  try(script: string, options?: RunOptions): Promise<Ran>;
  /** Lines for a known_hosts file, from the keys that the node has now. */
  knownHosts(...names: string[]): Promise<string>;
  /** Pulls the network cable, or plugs it in again. */
  link(state: "up" | "down"): Promise<void>;
  /** Pulls the plug. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  name: string;
  /** Root file system, of roots.ts. Left untouched. */
  root: string;
  /** A node as a deployment leaves it, instead of one with the bridge br0 made by the lab. */
  bare?: {
    /** Of `packageRepository`: becomes the only source of its apt. */
    repository: string;
    /** Public keys that root accepts. */
    keys: string;
  };
}

/** Starts a node from a root: own processes, hostname, address on the bridge br0, SSH server; its files live in memory. */
export async function startNode(teardown: Teardown, network: Network, options: NodeOptions): Promise<LabNode> {
  const { name, root } = options;
  const address = network.address(name);
  const fullName = `${name}.${network.domain}`;
  const place = join(network.directory, name);
  mkdirSync(place, { recursive: true });
  const log = join(network.directory, `${name}.log`);
  rmSync(log, { force: true });
  const disk = options.bare ? await spareDisk(join(network.directory, `${name}.disk`)) : null;
  const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child=KILL"];
  const holder: Daemon = daemon(teardown, log, "unshare", [...namespaces, "sh", nodeInit, place, root, fullName], {
    env: { REPOSITORY: options.bare?.repository, DISK: disk ?? undefined },
  });
  await until(`node ${name} being up\n${holder.log()}`, () => {
    if (!holder.alive) throw new Error(`node ${name} did not come up:\n${holder.log()}`);
    return holder.log().includes("node is up");
  });
  // The node has it open now: it is given back with the node's last process.
  if (disk) await must("losetup", ["-d", disk]);
  const [first = ""] = (await must("cat", [`/proc/${holder.pid}/task/${holder.pid}/children`])).split(" ");
  // The kernel ends all processes of the node with its first one; unshare then collects it and ends by itself.
  const stop = async () => {
    if (holder.alive) process.kill(Number(first), "SIGKILL");
    await holder.stop("SIGCONT");
  };
  teardown.add(stop);
  const inside = ["--target", first, "--all", "--", "/usr/bin/env", "-i"];
  const environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"];
  const words = (script: string) => [...inside, ...environment, "sh", "-euc", script];

  const [nsenter = "", ...into] = network.prefix;
  const link = `port${address.split(".").at(-1)}`;
  // The cable of a node that was here before goes with its network, but not at once.
  await must(nsenter, [
    ...[...into, "sh", "-ec"],
    `ip link del ${link} 2>/dev/null || true
ip link add ${link} type veth peer name eth0 netns ${holder.pid}
ip link set ${link} master ${network.bridge} up`,
  ]);
  const node: LabNode = {
    name,
    address,
    exec: (script, runOptions) => must("nsenter", words(script), runOptions),
    try: (script, runOptions) => run("nsenter", words(script), runOptions),
    async knownHosts(...names) {
      const keys = await must("nsenter", words("cat /etc/ssh/ssh_host_*_key.pub"));
      const lines = keys.split("\n").map((line) => line.split(" ").slice(0, 2).join(" "));
      return lines.map((line) => `${[...names, address].join(",")} ${line}\n`).join("");
    },
    async link(state) {
      await must(nsenter, [...into, "ip", "link", "set", link, state]);
    },
    stop,
  };
  if (options.bare) {
    await node.exec(bareNetwork(fullName, name, address), { input: options.bare.keys });
    return node;
  }
  await node.exec(
    `ip link set lo up
ip link add br0 type bridge
ip link set eth0 master br0 up
ip addr add ${address}/24 dev br0
ip link set br0 up
cat >>/root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys`,
    { input: await must("cat", [`${network.identity}.pub`]).then((key) => `${key}\n`) },
  );
  return node;
}

/** A disk of 24 GB that takes no room, or null where the kernel has no loop devices. */
async function spareDisk(file: string): Promise<string | null> {
  rmSync(file, { force: true });
  await must("truncate", ["-s", "24G", file]);
  const made = await run("losetup", ["--find", "--show", file]);
  return made.status === 0 ? made.stdout.trim() : null;
}

/** The network as Debian's installer writes it, with the line that gives the node's own name a loopback address. */
function bareNetwork(fullName: string, name: string, address: string): string {
  return `cat >>/root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys
printf '127.0.0.1 localhost\\n127.0.1.1 ${fullName} ${name}\\n' >/etc/hosts
cat >/etc/network/interfaces <<'X'
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
  address ${address}/24
X
ifup -a`;
}

/** Gives every node the addresses of all. */
export async function shareHosts(network: Network, nodes: readonly LabNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.exec("cat >/etc/hosts", { input: network.hosts() })));
}

/**
 * Writes an ssh configuration for `virtu -F` and `ssh -F`, in which the nodes go by their names, and the known_hosts
 * file with their keys as they are now. Strict: a key that is not in it is refused.
 */
export async function writeSshConfig(network: Network, nodes: readonly LabNode[], extra = ""): Promise<string> {
  const file = join(network.directory, "ssh_config");
  const knownHosts = join(network.directory, "known_hosts");
  const keys = await Promise.all(nodes.map((node) => node.knownHosts(node.name, `${node.name}.${network.domain}`)));
  writeFileSync(knownHosts, keys.join(""));
  const hosts = nodes.map((node) => `Host ${node.name}\n  HostName ${node.address}\n`).join("");
  const all = `Host *
  User root
  IdentityFile ${network.identity}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 5
`;
  writeFileSync(file, `${extra}${hosts}${all}`);
  return file;
}
