/** A node as it comes up after a deployment: its files, its hardware, the programs that its packages bring. */
import type { Clock } from "./clock.ts";
import { authorize, newHost, setRelease } from "./hosts.ts";
import type { Machine, Program } from "./machine/machine.ts";
import { NullFile } from "./machine/open-file.ts";
import { aptGet } from "./programs/apt-get.ts";
import { aptCache, dpkg, dpkgQuery } from "./programs/dpkg.ts";
import { gnt } from "./programs/ganeti.ts";
import { addLuxi } from "./programs/ganeti-luxi.ts";
import { bridgePrograms, networkPrograms } from "./programs/network.ts";
import { ssh } from "./programs/ssh-client.ts";
import { df, lsblk, lvm, wipefs } from "./programs/storage.ts";
import { type Services, servicePrograms, setupPrograms } from "./programs/system.ts";
import { virsh } from "./programs/virsh.ts";
import type { Clusters } from "./world/clusters.ts";
import type { RecordedEnvironment } from "./world/environments.ts";
import { LibvirtHost } from "./world/libvirt.ts";
import { NodeNetwork } from "./world/node-network.ts";
import type { NodeSystem } from "./world/node-system.ts";
import { Packages } from "./world/packages.ts";
import { Storage } from "./world/storage.ts";
import type { Node } from "./world/testbed.ts";
import type { Troubles } from "./world/trouble.ts";

export interface Surroundings {
  clock: Clock;
  clusters: Clusters;
  troubles: Troubles;
}

export interface Deployment {
  environment: RecordedEnvironment;
  /** Lines of root's authorized_keys. */
  keys: string;
  /** Public half of its sshd's key. */
  hostKey: string;
}

const zones = ["Etc/UTC", "Europe/Paris", "Europe/London", "Europe/Berlin", "America/New_York"];

/** Files of an installed system that setting it up reads or changes. */
function fill(machine: Machine, node: Node, { environment, keys, hostKey }: Deployment, random: () => string): void {
  const { files } = machine;
  const { release, kernel } = environment;
  setRelease(machine, release);
  for (const directory of [
    "/boot",
    "/run",
    "/srv",
    "/etc/apt/sources.list.d",
    "/etc/default",
    "/etc/network/interfaces.d",
    "/etc/ssh",
    "/var/lib/apt/lists",
    "/var/lib/dpkg/updates",
    "/var/cache/apt/archives",
  ]) {
    files.makeDirectory(directory, "root", { parents: true });
  }
  files.addMade("/proc/sys/kernel/osrelease", () => `${kernel}\n`);
  const boot = random();
  files.addMade("/proc/sys/kernel/random/boot_id", () => `${boot}\n`);
  files.writeText("/etc/hosts", `127.0.0.1 localhost\n${node.address} ${node.name} ${machine.shortName}\n`);
  files.writeText("/etc/network/interfaces", "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n");
  files.writeText("/etc/network/interfaces.d/eno1", "allow-hotplug eno1\niface eno1 inet dhcp\n");
  files.writeText("/etc/default/locale", "LANG=C.UTF-8\n");
  files.writeText("/etc/locale.gen", "# This file lists locales that you wish to have built.\n");
  files.writeText("/etc/shadow", "root:$y$j9T$oneOfTheImage:20000:0:99999:7:::\n", "root", 0o640);
  files.writeText("/etc/ssh/ssh_host_ed25519_key.pub", `${hostKey}\n`);
  for (const name of ["vmlinuz", "initrd.img", "config"]) files.writeText(`/boot/${name}-${kernel}`, "(binary)\n");
  for (const zone of zones) {
    const path = `/usr/share/zoneinfo/${zone}`;
    files.makeDirectory(path.replace(/\/[^/]*$/, ""), "root", { parents: true });
    files.writeText(path, "TZif2");
  }
  files.addLink("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
  if (release.version === "12") files.writeText("/etc/timezone", "Etc/UTC\n");
  files.addDevice("/dev/kvm", () => new NullFile());
  files.addDevice("/dev/vhost-net", () => new NullFile());
  authorize(machine, "root", keys);
}

function writeSources(machine: Machine, codename: string): void {
  const line = (place: string, suite: string) => `deb http://${place} ${suite} main\n`;
  machine.files.writeText(
    "/etc/apt/sources.list",
    `${line("deb.mirror.demo/debian", codename)}${line("deb.mirror.demo/debian", `${codename}-updates`)}${line("security.mirror.demo/debian-security", `${codename}-security`)}`,
  );
}

export function deploy(node: Node, deployment: Deployment, { clock, clusters, troubles }: Surroundings): NodeSystem {
  const machine = newHost(node.name, clock, { cores: 16, memoryKiB: node.memoryMiB * 1024 });
  fill(machine, node, deployment, () => clusters.random.uuid());
  const { release } = deployment.environment;
  const codename = release.pretty.replace(/^.*\((.*)\)$/, "$1");
  const packages = release.id === "debian" ? new Packages(release.version, codename) : null;
  const storage = new Storage(node.diskGiB);
  const network = new NodeNetwork(node.address, node.mac);
  const system: NodeSystem = { node, machine, packages, storage, network };
  for (const { name } of network.links)
    machine.files.makeDirectory(`/sys/class/net/${name}`, "root", { parents: true });
  for (const disk of storage.disks) {
    for (const { name } of [disk, ...disk.parts]) machine.files.addDevice(`/dev/${name}`, () => new NullFile(), true);
  }
  const services: Services = {
    known: new Set(["ssh", "sshd", "networking", "cron", "systemd-timesyncd"]),
    active: new Set(["ssh", "networking", "cron", "systemd-timesyncd"]),
    onChange: async () => undefined,
  };
  machine.install({ ...setupPrograms, ...servicePrograms(services), lsblk: lsblk(storage), df: df(storage) });
  machine.install({ ...networkPrograms(network), wipefs: wipefs(storage) }, "/usr/sbin");
  // Programs that everybody may call lie in /usr/bin.
  machine.install({ ip: networkPrograms(network).ip as Program, ssh: ssh(clusters) });
  if (!packages) return system;
  writeSources(machine, codename);
  const trouble = troubles.for(node, () => system);
  const apt = aptGet(packages, trouble);
  machine.install({
    "apt-get": apt,
    "apt-cache": aptCache(packages),
    dpkg: dpkg(packages),
    "dpkg-query": dpkgQuery(packages),
  });
  packages.onInstalled = (name) => brought(name, system, services, clusters);
  return system;
}

/** What a package brings that journeys look for. */
function brought(
  name: string,
  { machine, packages, storage, network }: NodeSystem,
  services: Services,
  clusters: Clusters,
) {
  const { files, clock } = machine;
  switch (name) {
    case "lvm2":
      machine.install(lvm(storage), "/usr/sbin");
      return;
    case "bridge-utils":
      machine.install(bridgePrograms(network), "/usr/sbin");
      return;
    case "ganeti":
      addLuxi(machine, clusters);
      for (const program of ["gnt-cluster", "gnt-instance", "gnt-node", "gnt-job", "gnt-os", "gnt-network"]) {
        machine.install(
          { [program]: gnt(program, clusters, packages?.installed.get("ganeti") ?? "3.0.2-3") },
          "/usr/sbin",
        );
      }
      files.makeDirectory("/etc/ganeti", "root", { parents: true });
      services.known.add("ganeti");
      services.active.add("ganeti");
      return;
    case "ganeti-os-noop":
      files.makeDirectory("/usr/share/ganeti/os/noop", "root", { parents: true });
      return;
    case "ganeti-instance-debootstrap":
      files.makeDirectory("/usr/share/ganeti/os/debootstrap", "root", { parents: true });
      files.makeDirectory("/etc/ganeti/instance-debootstrap", "root", { parents: true });
      return;
    case "libvirt-clients":
      machine.install({ virsh: virsh(new LibvirtHost(machine.shortName, clock, clusters.random, []), () => 0) });
      return;
    case "libvirt-daemon-system":
      files.makeDirectory("/run/libvirt", "root", { parents: true });
      files.writeText("/run/libvirt/libvirt-sock", "");
      for (const unit of ["libvirtd", "virtlogd", "virtlockd"]) {
        services.known.add(unit);
        services.active.add(unit);
      }
  }
}
