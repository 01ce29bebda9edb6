/** The simulated hosts: what each has on its disk and which programs it knows. */
import type { Clock } from "./clock.ts";
import { Machine } from "./machine/machine.ts";
import type { ScenarioName } from "./options.ts";
import { installAt } from "./programs/at.ts";
import { gnt } from "./programs/ganeti.ts";
import { addLuxi } from "./programs/ganeti-luxi.ts";
import { kadeploy3 } from "./programs/kadeploy3.ts";
import { kaenv3 } from "./programs/kaenv3.ts";
import { oardel, oarnodes, oarprint, oarwalltime, subnets, usagePolicyCheck } from "./programs/oar-others.ts";
import { oarstat } from "./programs/oarstat.ts";
import { oarsub } from "./programs/oarsub.ts";
import { pingGuests } from "./programs/ping.ts";
import { socat } from "./programs/qemu-socket.ts";
import { ssh } from "./programs/ssh-client.ts";
import { virsh } from "./programs/virsh.ts";
import { virtClone } from "./programs/virt-clone.ts";
import { virtInstall } from "./programs/virt-install.ts";
import { addRrdd } from "./programs/xcp-rrdd.ts";
import { xe } from "./programs/xe.ts";
import { xenStorage } from "./programs/xen-storage.ts";
import { xenstoreWatch, xentop } from "./programs/xen-watchers.ts";
import { xl } from "./programs/xl.ts";
import { installUtilities } from "./utilities/all.ts";
import type { Clusters } from "./world/clusters.ts";
import type { RecordedEnvironment } from "./world/environments.ts";
import type { Ganeti } from "./world/ganeti.ts";
import type { Kadeploy } from "./world/kadeploy.ts";
import type { LibvirtHost } from "./world/libvirt.ts";
import type { Volume } from "./world/libvirt-storage.ts";
import type { Oar } from "./world/oar.ts";
import { domain, type Testbed } from "./world/testbed.ts";
import type { XenHost } from "./world/xen.ts";
import type { XenPool } from "./world/xenserver.ts";

interface Hardware {
  cores: number;
  memoryKiB: number;
}

/** A host with the ordinary programs and what /proc tells. */
export function newHost(name: string, clock: Clock, hardware: Hardware): Machine {
  const machine = new Machine(name, clock);
  installUtilities(machine);
  const { files } = machine;
  const upSince = clock.now();
  const cpu = (number: number) => `processor\t: ${number}\nmodel name\t: Intel(R) Xeon(R) CPU E5-2630 v3 @ 2.40GHz\n\n`;
  files.addMade("/proc/cpuinfo", () => Array.from({ length: hardware.cores }, (_, number) => cpu(number)).join(""));
  files.addMade("/proc/meminfo", () => {
    const { memoryKiB } = hardware;
    return `MemTotal:       ${memoryKiB} kB\nMemFree:        ${Math.floor(memoryKiB * 0.9)} kB\nMemAvailable:   ${Math.floor(memoryKiB * 0.95)} kB\n`;
  });
  files.addMade("/proc/uptime", () => {
    const seconds = (clock.now() - upSince) / 1000 + 5;
    return `${seconds.toFixed(2)} ${(seconds * hardware.cores * 0.9).toFixed(2)}\n`;
  });
  files.addMade("/proc/loadavg", () => "0.08 0.03 0.01 1/214 4242\n");
  files.writeText("/etc/hostname", `${machine.shortName}\n`);
  files.writeText("/etc/hosts", "127.0.0.1 localhost\n");
  setRelease(machine, { id: "debian", version: "12", pretty: "Debian GNU/Linux 12 (bookworm)" });
  return machine;
}

export function setRelease(machine: Machine, release: RecordedEnvironment["release"]): void {
  const { id, version, pretty } = release;
  const codename = /\((.*)\)/.exec(pretty)?.[1]?.split(" ")[0]?.toLowerCase() ?? "";
  machine.files.writeText(
    "/etc/os-release",
    `PRETTY_NAME="${pretty}"\nNAME="${pretty.split(" (")[0]}"\nVERSION_ID="${version}"\nVERSION_CODENAME=${codename}\nID=${id}\n`,
  );
}

export function authorize(machine: Machine, user: string, keys: string): void {
  const home = machine.account(user)?.home ?? "/";
  machine.files.makeDirectory(`${home}/.ssh`, user, { parents: true, mode: 0o700 });
  machine.files.writeText(`${home}/.ssh/authorized_keys`, keys, user, 0o600);
}

const images: Readonly<Record<string, string>> = {
  "debian12-lab.env": `---
name: debian12-lab
version: 3
arch: x86_64
description: Debian 12 with the lab's tools
author: jdoe
visibility: private
destructive: false
os: linux
image:
  file: /home/jdoe/image/debian12-lab.tar.zst
  kind: tar
  compression: zstd
boot:
  kernel: /vmlinuz
  initrd: /initrd.img
filesystem: ext4
partition_type: 131
`,
  "virtu-xen.env": `---
name: virtu-xen
version: 2
description: Xen 4.17 and Ganeti, ready for the cluster
author: jdoe
visibility: private
destructive: false
os: linux
image:
  file: /home/jdoe/image/virtu-xen.tgz
  kind: tar
  compression: gzip
boot:
  kernel: /vmlinuz
  initrd: /initrd.img
filesystem: ext4
partition_type: 131
`,
  "wheezy-2012.env": `name : wheezy-2012
version : 1
description : The image of 2012, in its own format
author : jdoe
tarball : /home/jdoe/image/wheezy.tgz|tgz
kernel : /vmlinuz
initrd : /initrd.img
fdisktype : 83
filesystem : ext3
environment_kind : linux
demolishing_env : 0
`,
};

export function fillFrontend(
  frontend: Machine,
  services: { oar: Oar; kadeploy: Kadeploy; testbed: Testbed; publicKey: string; has: (name: ScenarioName) => boolean },
): void {
  const { oar, kadeploy, testbed, publicKey, has } = services;
  frontend.addAccount({ name: "jdoe", home: "/home/jdoe", uid: 15_022 });
  authorize(frontend, "jdoe", publicKey);
  frontend.files.writeText("/home/jdoe/.ssh/id_ed25519.pub", publicKey, "jdoe");
  frontend.files.makeDirectory("/home/jdoe/image", "jdoe");
  for (const [name, text] of Object.entries(images)) frontend.files.writeText(`/home/jdoe/image/${name}`, text, "jdoe");
  frontend.files.writeText(
    "/etc/hosts",
    `127.0.0.1 localhost\n172.16.111.101 ${frontend.name} frontend\n${testbed.nodes.map((node) => `${node.address} ${node.name} ${node.name.split(".")[0]}\n`).join("")}`,
  );
  frontend.install({
    oarsub: oarsub(oar, has),
    oarstat: oarstat(oar),
    oardel: oardel(oar),
    oarwalltime: oarwalltime(oar),
    oarnodes: oarnodes(oar),
    oarprint,
    "g5k-subnets": subnets(oar),
    usagepolicycheck: usagePolicyCheck(oar),
    kadeploy3: kadeploy3(kadeploy, oar),
    kaenv3,
  });
}

export function ganetiMachine(
  name: string,
  clock: Clock,
  { ganeti, clusters, publicKey }: { ganeti: Ganeti; clusters: Clusters; publicKey: string },
): Machine {
  const machine = newHost(name, clock, { cores: 8, memoryKiB: 24_684_096 });
  authorize(machine, "root", publicKey);
  clusters.join(machine, ganeti);
  machine.install({ ssh: ssh(clusters) });
  addLuxi(machine, clusters);
  installAt(machine);
  const isUp = (name: string) => {
    const instance = ganeti.find(name);
    return instance?.alive === true && ganeti.guest(instance).isOnline;
  };
  machine.install({ ping: pingGuests(isUp) });
  const runsHere = (guest: string) => ganeti.find(guest)?.alive === true && ganeti.find(guest)?.node.name === name;
  machine.install({ socat: socat(clock, runsHere), chown: async () => 0 });
  for (const program of ["gnt-cluster", "gnt-instance", "gnt-node", "gnt-job", "gnt-network", "gnt-os"]) {
    machine.install({ [program]: gnt(program, clusters, ganeti.facts.version) }, "/usr/sbin");
  }
  return machine;
}

/** The head of a volume's file, as far as anybody looks into it. */
const heads: Readonly<Record<Volume["format"], (bytes: number) => string>> = {
  raw: () => "\0".repeat(4096),
  qcow2: (bytes) => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(bytes));
    return `QFI\u00fb\0\0\0\u0003${"\0".repeat(16)}${size.toString("latin1")}${"\0".repeat(4064)}`;
  },
};

/** The volumes of a host as files: what instances can be made of. */
function fillImages({ files }: Machine, { storage }: LibvirtHost): void {
  for (const { directory, volumes } of storage.pools) {
    files.makeDirectory(directory, "root", { parents: true });
    for (const { name, capacity, format } of volumes.values()) {
      files.writeText(`${directory}/${name}`, heads[format](capacity));
    }
  }
}

export function libvirtMachine(host: LibvirtHost, clock: Clock, publicKey: string, delay: () => number): Machine {
  const machine = newHost(`${host.hostname}.${domain}`, clock, { cores: 16, memoryKiB: 65_843_576 });
  authorize(machine, "root", publicKey);
  const isUp = (address: string) =>
    host.domains.some((one) => one.guest.isOnline && host.networks.address(one) === address);
  machine.install({
    ...{ virsh: virsh(host, delay), "virt-clone": virtClone(host) },
    ...{ "virt-install": virtInstall(host), ping: pingGuests(isUp) },
  });
  fillImages(machine, host);
  installAt(machine);
  return machine;
}

export function xenMachine(host: XenHost, clock: Clock, publicKey: string): Machine {
  const machine = newHost(`${host.hostname}.${domain}`, clock, { cores: 16, memoryKiB: 2_097_152 });
  authorize(machine, "root", publicKey);
  host.furnish(machine);
  machine.install({ xl: xl(host), xentop: xentop(host) }, "/usr/sbin");
  const isUp = (name: string) => host.find(name)?.guest.isOnline === true;
  machine.install({ "xenstore-watch": xenstoreWatch(host), ping: pingGuests(isUp), ...xenStorage(host) });
  installAt(machine);
  return machine;
}

export function xenServerMachine(pool: XenPool, clock: Clock, publicKey: string): Machine {
  const machine = newHost(`xcp1.${domain}`, clock, { cores: 16, memoryKiB: 4_194_304 });
  authorize(machine, "root", publicKey);
  pool.furnish(machine);
  machine.install({ xe: xe(pool) });
  addRrdd(machine, pool, pool.hosts[0]?.uuid ?? "");
  installAt(machine);
  return machine;
}
