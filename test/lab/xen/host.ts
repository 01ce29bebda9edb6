/**
 * A real Xen: a Debian 12 dom0 in QEMU without KVM. Made once from Debian's packages and kept in the cache, together with its
 * memory as it was after the first boot: from then on it is there in seconds, guests and all.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import { basename, join } from "node:path";
import {
  cacheDir,
  type Daemon,
  daemon,
  freePort,
  installPackages,
  must,
  type Ran,
  run,
  Teardown,
  until,
} from "../lab.ts";
import { rootWith } from "../roots.ts";

const packages = [
  ...[
    "systemd-sysv",
    "dbus",
    "ifupdown",
    "kmod",
    "udev",
    "initramfs-tools",
    "linux-image-amd64",
    "busybox-static",
    "cpio",
  ],
  ...["xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xenstore-utils", "bridge-utils", "python3"],
  ...["libvirt-daemon-system", "libvirt-daemon-driver-xen", "libvirt-clients"],
  // The whole PC around hvm guests.
  "qemu-system-xen",
  // What the install journeys want, but for two small ones that root.sh leaves to them: to unpack all takes it minutes.
  ...["virtinst", "ganeti", "xen-system-amd64"],
];

export interface XenHost {
  readonly name: string;
  /** Knows `xen1`, and `guest@xen1`, who has no rights there. */
  readonly sshConfig: string;
  /** A script by ssh of its own, not through virtu; anything but status 0 is thrown. */
  exec(script: string, timeoutMs?: number): Promise<string>;
  try(script: string, timeoutMs?: number): Promise<Ran>;
  /** The rows of `xl list` by name: number and state letters. */
  domains(): Promise<Map<string, { id: number; memory: number; state: string }>>;
}

/** What the snapshot holds: web1 runs, crash1 has crashed, vweb is libvirt's and runs; the others are off. A volume group vg0. */
const prepare = `
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list
truncate -s 96M /srv/vg0.img
vgcreate -q vg0 "$(losetup -f --show /srv/vg0.img)"
xl create -q /etc/xen/web1.cfg
xl create -q /etc/xen/crash1.cfg
for name in vweb vdb; do
  virsh -c xen:///system domxml-from-native xen-xl /srv/xen/$name.cfg >/srv/xen/$name.xml
  virsh -c xen:///system define /srv/xen/$name.xml
done
virsh -c xen:///system start vweb
for n in $(seq 120); do xl list | grep -q '^crash1 .*---sc-' && break; sleep 1; done
sync`;

/** The directory with the disk, Xen, its kernel and initrd. */
async function image(root: string): Promise<string> {
  const path = join(cacheDir, "xen", basename(root));
  if (existsSync(path)) return path;
  mkdirSync(join(cacheDir, "xen"), { recursive: true });
  const script = `
root=$1 path=$2
[ ! -e "$path" ] || exit 0
rm -rf "$path.new"
mkdir "$path.new"
cp "$root/boot/xen" "$path.new/xen"
cp "$root/boot/vmlinuz.lab" "$path.new/vmlinuz"
cp "$root/boot/initrd.lab" "$path.new/initrd.img"
install -m 600 "$root/root/.ssh/id_ed25519" "$path.new/id"
cp "$root/etc/ssh/ssh_host_ed25519_key.pub" "$path.new/host.pub"
truncate -s 6G "$path.new/base.img"
mkfs.ext4 -q -F -E lazy_itable_init=0 -d "$root" "$path.new/base.img"
for old in "\${path%/*}"/xen-*; do [ "$old" = "$path.new" ] || rm -rf "$old"; done
mv "$path.new" "$path"`;
  await must("flock", [`${path}.lock`, "sh", "-euc", script, "sh", root, path], { timeoutMs: 300_000 });
  return path;
}

interface Machine {
  daemon: Daemon;
  port: number;
  monitor: string;
}

/** What the machine is made of: its memory fits no other one. */
function machine(files: string): string[] {
  return [
    // One processor: of two, one would spin for a lock whose holder waits for a core of the machine that runs them.
    ...["-accel", "tcg,thread=multi,tb-size=256", "-machine", "q35", "-smp", "1", "-m", "2048"],
    // Intel's name and AMD's extensions: as plain qemu64, libvirt finds no model for what Xen leaves of it.
    ...["-cpu", "qemu64,vendor=GenuineIntel,+svm,+npt", "-display", "none", "-vga", "none", "-no-reboot"],
    ...["-device", "virtio-blk-pci,drive=d0", "-device", "virtio-net-pci,netdev=n0,romfile="],
    ...["-device", "virtio-rng-pci", "-kernel", join(files, "xen")],
    ...["-append", "dom0_mem=1024M,max:1024M dom0_max_vcpus=1 noreboot=1 spec-ctrl=no", "-initrd"],
    `${join(files, "vmlinuz")} root=/dev/vda rw console=hvc0 net.ifnames=0 mitigations=off quiet,${join(files, "initrd.img")}`,
  ];
}

/** Starts QEMU on the disk in this directory; `resume`: from the memory that is saved in it. */
async function startQemu(teardown: Teardown, directory: string, files: string, resume: boolean): Promise<Machine> {
  const port = await freePort();
  const monitor = join(directory, "monitor");
  const words = [
    ...["-name", "xen1", "-serial", `file:${join(directory, "serial")}`, "-monitor", `unix:${monitor},server,nowait`],
    ...["-drive", `if=none,id=d0,file=${join(directory, "disk.qcow2")},format=qcow2,cache=unsafe`],
    ...["-netdev", `user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`, ...machine(files)],
    ...(resume ? ["-loadvm", "ready"] : []),
  ];
  return { daemon: daemon(teardown, join(directory, "qemu.log"), "qemu-system-x86_64", words), port, monitor };
}

function writeConfig(directory: string, files: string, port: number): string {
  const knownHosts = join(directory, "known_hosts");
  const [type, key] = readFileSync(join(files, "host.pub"), "utf8").split(" ");
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`);
  const config = join(directory, "ssh_config");
  writeFileSync(
    config,
    `Host xen1
  HostName 127.0.0.1
  Port ${port}
Host *
  User root
  IdentityFile ${join(files, "id")}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 60
`,
  );
  return config;
}

function hostAt(sshConfig: string): XenHost {
  const attempt = (script: string, timeoutMs = 120_000) => run("ssh", ["-F", sshConfig, "xen1", script], { timeoutMs });
  const exec = async (script: string, timeoutMs?: number) => {
    const ran = await attempt(script, timeoutMs);
    if (ran.status !== 0) throw new Error(`${script}: status ${ran.status}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout.trim();
  };
  return {
    name: "xen1",
    sshConfig,
    exec,
    try: attempt,
    async domains() {
      const rows = (await exec("xl list")).split("\n").slice(1);
      return new Map(
        rows.map((row) => {
          const cells = row.trim().split(/\s+/);
          const [id, memory, , state = ""] = cells.slice(-5);
          return [cells.slice(0, -5).join(" "), { id: Number(id), memory: Number(memory), state }];
        }),
      );
    },
  };
}

/** `xl list` answers over ssh. */
async function ready({ daemon: qemu }: Machine, host: XenHost, limitMs: number): Promise<void> {
  await until(
    "Xen answers",
    async () => {
      if (!qemu.alive) throw new Error(`QEMU has ended: ${qemu.log()}`);
      return (await host.try("xl list", 20_000)).status === 0;
    },
    limitMs,
  );
  // The clock of a snapshot is as old as it is.
  await host.exec(`date -s @${Math.floor(Date.now() / 1000)}`);
}

/** One word to QEMU's monitor; ends when its prompt comes again. */
function tell(monitor: string, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(monitor);
    let prompts = 0;
    socket.setEncoding("utf8").on("data", (text: string) => {
      prompts += text.split("(qemu)").length - 1;
      if (prompts === 1) socket.write(`${word}\n`);
      // The first is the greeting's; what is typed is echoed, and its prompt comes when it is done.
      if (prompts >= 2) socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}

/** Boots from nothing (about a minute), prepares the guests, and keeps disk and memory beside the image. */
async function snapshotOf(files: string): Promise<string> {
  const content = createHash("sha256").update(JSON.stringify([machine(files), prepare]));
  const kept = join(files, `ready-${content.digest("hex").slice(0, 12)}.qcow2`);
  if (existsSync(kept)) return kept;
  console.log("booting Xen for the first time");
  const teardown = new Teardown();
  try {
    const directory = teardown.directory("xen-first");
    const disk = join(directory, "disk.qcow2");
    await must("qemu-img", ["create", "-q", "-f", "qcow2", "-b", join(files, "base.img"), "-F", "raw", disk]);
    const qemu = await startQemu(teardown, directory, files, false);
    const host = hostAt(writeConfig(directory, files, qemu.port));
    await ready(qemu, host, 400_000);
    await host.exec(prepare, 400_000);
    await tell(qemu.monitor, "stop");
    await tell(qemu.monitor, "savevm ready");
    await qemu.daemon.stop();
    copyFileSync(disk, `${kept}.new`);
    renameSync(`${kept}.new`, kept);
    return kept;
  } finally {
    await teardown.run();
  }
}

/** Milliseconds that making the dom0 may take: some minutes, on a machine that does much else a quarter of an hour. */
export const dom0Ms = 1_500_000;

export async function openXen(teardown: Teardown): Promise<XenHost> {
  await installPackages("qemu-system-x86", "qemu-utils", "openssh-client", "e2fsprogs");
  const finish = readFileSync(join(import.meta.dirname, "root.sh"), "utf8");
  const root = await rootWith("xen", packages, finish, "bookworm");
  const files = await image(root);
  const snapshot = await snapshotOf(files);
  const directory = teardown.directory("xen");
  copyFileSync(snapshot, join(directory, "disk.qcow2"));
  const qemu = await startQemu(teardown, directory, files, true);
  const host = hostAt(writeConfig(directory, files, qemu.port));
  await ready(qemu, host, 300_000);
  return host;
}
