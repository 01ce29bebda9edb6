/**
 * The embedded site: SSH servers on loopback, in this process, with a small simulated testbed, a Ganeti cluster and two
 * libvirt hosts behind them. Nothing of it ever runs a program of this machine.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Clock, realTimers } from "./clock.ts";
import { deploy } from "./deployed.ts";
import { fillFrontend, ganetiMachine, libvirtMachine, newHost, xenMachine, xenServerMachine } from "./hosts.ts";
import type { Machine } from "./machine/machine.ts";
import { Network } from "./network.ts";
import type { ScenarioName, SiteOptions } from "./options.ts";
import { Random } from "./random.ts";
import { newKey } from "./sshd/keys.ts";
import { HostServer } from "./sshd/server.ts";
import { Clusters } from "./world/clusters.ts";
import type { Ganeti } from "./world/ganeti.ts";
import { demoCluster } from "./world/ganeti-demo.ts";
import { firstHost, secondHost } from "./world/guests.ts";
import { Kadeploy } from "./world/kadeploy.ts";
import { LibvirtHost } from "./world/libvirt.ts";
import { Oar } from "./world/oar.ts";
import { occupy } from "./world/others.ts";
import { domain, type Node, Testbed } from "./world/testbed.ts";
import { Troubles } from "./world/trouble.ts";
import { XenHost, xenGuests } from "./world/xen.ts";
import { XenPool } from "./world/xenserver.ts";

export { isScenario, type ScenarioName, type SiteOptions, scenarios } from "./options.ts";

/** What really is, for those who check what they were told. */
export interface World {
  readonly oar: Oar;
  readonly testbed: Testbed;
  readonly kadeploy: Kadeploy;
  readonly ganeti: Ganeti;
  /** That one, and those that were made on deployed nodes. */
  readonly clusters: Clusters;
  readonly libvirt: readonly LibvirtHost[];
  readonly xen: XenHost;
  readonly xenPool: XenPool;
  /** Every host that can be reached directly, by name. */
  readonly machines: ReadonlyMap<string, Machine>;
}

export interface EmbeddedSite {
  /** For `-F`: every host below by its name, with this run's user key and known hosts. */
  readonly sshConfigFile: string;
  /** For `--config`: an empty directory of this run, for settings and state. */
  readonly configDir: string;
  /** The frontend's name in that ssh configuration: give it as `--site`. */
  readonly frontend: string;
  /** Hosts that carry instances, for `--host`: a Ganeti master, two libvirt hosts, a Xen host, a host of an XCP-ng pool. */
  readonly hosts: readonly string[];
  /** Every node that can be reserved. */
  readonly nodes: readonly string[];
  readonly world: World;
  /** Switches a scenario on or off while the site runs. */
  setScenario(name: ScenarioName, on?: boolean): void;
  readonly speed: number;
  /** Takes effect on everything that starts from now on. */
  setSpeed(factor: number): void;
  /** Cuts every SSH session of a host (default: the frontend's), as a lost link does. */
  cutLink(host?: string): void;
  /** Stops the servers and removes the private directory. Safe to call twice. */
  end(): Promise<void>;
}

/** Starts a site of its own. Rejects when no port of loopback can be had or no temporary directory be made. */
export async function startSite(options: SiteOptions = {}): Promise<EmbeddedSite> {
  const count = Math.min(200, Math.max(4, Math.round(options.nodes ?? 16)));
  const clock = new Clock(options.timers ?? realTimers, options.speed ?? 20);
  const random = new Random(options.seed ?? 2012);
  const active = new Set<ScenarioName>(options.scenarios);
  const has = (name: ScenarioName) => active.has(name);
  const directory = mkdtempSync(path.join(os.tmpdir(), "virtu-site-"));
  chmodSync(directory, 0o700);
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  // Also when the program ends in a hurry.
  process.on("exit", removeDirectory);

  const userKey = newKey("jdoe@virtu-demo");
  const publicKey = `${userKey.public}\n`;
  const frontend = newHost(`frontend.${domain}`, clock, { cores: 8, memoryKiB: 16_384_000 });
  const testbed = new Testbed(count);
  const oar = new Oar(testbed, clock, frontend, has);
  const nodeServers = new Map<Node, HostServer>();
  const switchOff = (node: Node) => {
    if (node.deployed) node.deployed.listening = false;
    node.deployed?.machine.killAll();
    nodeServers.get(node)?.cut();
    nodeServers.delete(node);
  };
  const clusters = new Clusters(
    random,
    (address) =>
      testbed.nodes.find((node) => node.address === address && node.deployed?.listening)?.deployed?.system ?? null,
  );
  const forgetNode = (node: Node) => {
    switchOff(node);
    if (node.deployed) clusters.forget(node.deployed.machine);
    node.deployed = null;
  };
  const troubles = new Troubles(clock, has, switchOff);
  const network = new Network(directory);
  const kadeploy = new Kadeploy(clock, random, has, {
    wiped: forgetNode,
    booted: (node, environment, keys) => {
      const hostKey = newKey(node.name);
      const system = deploy(node, { environment, keys, hostKey: hostKey.public }, { clock, clusters, troubles });
      const { name, version } = environment;
      const deployed = {
        environment: name,
        version: String(version),
        keys,
        machine: system.machine,
        system,
        hostKey: hostKey.private,
        listening: false,
      };
      node.deployed = deployed;
      // The kernel answers some seconds before sshd does.
      clock.after(6, () => {
        deployed.listening = true;
      });
    },
    cutLink: () => network.cut(frontend.name),
  });
  oar.release = forgetNode;
  fillFrontend(frontend, { oar, kadeploy, testbed, publicKey, has });
  const connectNode = (host: string, port: number) => {
    const node = testbed.node(host) ?? testbed.nodes.find(({ address }) => address === host);
    const { deployed } = node ?? {};
    if (!node || !deployed?.listening || port !== 22) return null;
    let server = nodeServers.get(node);
    if (!server) {
      server = new HostServer({
        machine: deployed.machine,
        hostKey: deployed.hostKey,
        connectionText: `172.16.111.101 40022 ${node.address} 22`,
      });
      nodeServers.set(node, server);
    }
    return network.inject(server);
  };

  const ganeti = demoCluster(clock, random);
  const libvirt = [new LibvirtHost("hv1", clock, random, firstHost), new LibvirtHost("hv2", clock, random, secondHost)];
  for (const host of libvirt) host.peers = libvirt.filter((other) => other !== host);
  const machines = new Map<string, Machine>([[frontend.name, frontend]]);
  for (const { name } of ganeti.nodes) machines.set(name, ganetiMachine(name, clock, { ganeti, clusters, publicKey }));
  clusters.writeFiles(ganeti);
  for (const host of libvirt) {
    const delay = () => (host.hostname === "hv2" && has("slow-host") ? 2.5 : 0);
    const machine = libvirtMachine(host, clock, publicKey, delay);
    machines.set(machine.name, machine);
  }
  const xen = new XenHost("xen1", clock, random, xenGuests);
  const xenPool = new XenPool("lab", clock, random);
  for (const machine of [xenMachine(xen, clock, publicKey), xenServerMachine(xenPool, clock, publicKey)]) {
    machines.set(machine.name, machine);
  }
  /** Where a host's own ports lead: a node's sshd for the frontend, a guest's VNC for a libvirt host. */
  const connectOf = (name: string) => {
    if (name === frontend.name) return connectNode;
    const host = libvirt.find(({ hostname }) => name === `${hostname}.${domain}`);
    return host && ((address: string, port: number) => (address === "127.0.0.1" ? host.connectDisplay(port) : null));
  };
  const slow = `hv2.${domain}`;
  let stopBusy = () => {};
  const applyScenario = (name: ScenarioName) => {
    troubles.reset(name);
    if (name === "dead-host") network.setDead(slow, has(name));
    if (name === "host-key-changed" && has(name)) network.changeHostKey(slow);
    if (name === "frozen-libvirt") libvirt[0]?.freeze("shop-db", has(name));
    if (name === "busy-site") {
      stopBusy();
      stopBusy = has(name) ? occupy(oar, testbed.nodes, "bob", Math.max(2, Math.ceil(1200 / clock.speed))) : () => {};
    }
    oar.planSoon();
  };

  let ended: Promise<void> | null = null;
  const end = (): Promise<void> => {
    ended ??= (async () => {
      clock.stop();
      for (const machine of machines.values()) machine.killAll();
      for (const node of testbed.nodes) forgetNode(node);
      await network.end();
      removeDirectory();
      process.off("exit", removeDirectory);
    })();
    return ended;
  };
  try {
    for (const [name, machine] of machines) {
      await network.listen(name, machine, connectOf(name));
    }
    writeFileSync(path.join(directory, "id_ed25519"), userKey.private, { mode: 0o600 });
    writeFileSync(path.join(directory, "id_ed25519.pub"), publicKey);
    mkdirSync(path.join(directory, "config"), { mode: 0o700 });
    const sshConfigFile = network.writeConfig(frontend.name);
    occupy(oar, testbed.nodes.slice(count, count + 2), "alice", 5 * 3600);
    for (const name of active) applyScenario(name);
    return {
      sshConfigFile,
      configDir: path.join(directory, "config"),
      frontend: frontend.name,
      hosts: [ganeti.master.name, ...["hv1", "hv2", "xen1", "xcp1"].map((name) => `${name}.${domain}`)],
      nodes: testbed.nodes.slice(0, count).map(({ name }) => name),
      world: { oar, testbed, kadeploy, ganeti, clusters, libvirt, xen, xenPool, machines },
      setScenario: (name, on = true) => {
        if (on) active.add(name);
        else active.delete(name);
        applyScenario(name);
      },
      get speed() {
        return clock.speed;
      },
      setSpeed: (factor) => {
        clock.speed = factor;
      },
      cutLink: (host = frontend.name) => network.cut(host),
      end,
    };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}
