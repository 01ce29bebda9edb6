/** Hosts with a real libvirtd each, and small guests that are emulated (TCG): the same on every machine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Teardown } from "../lab.ts";
import { until } from "../lab.ts";
import { type LabNode, type Network, openNetwork, shareHosts, startNode, writeSshConfig } from "../nodes.ts";
import { rootWith } from "../roots.ts";

export interface LibvirtLab {
  network: Network;
  /** Has web1 (running), db1 and ci1 (stopped). */
  hv1: LabNode;
  /** Has web1 and deaf1, which minds no power button (both stopped). */
  hv2: LabNode;
  /** `hv1`, `hv2`; `guest@hv1` logs in without rights on libvirt; `dead` is a host that does not answer. */
  sshConfig: string;
  /** virsh on the host itself, not through SSH. */
  virsh(host: LabNode, ...words: string[]): Promise<string>;
  /** `running`, `shut off`, … */
  state(host: LabNode, name: string): Promise<string>;
  /** How often the guest has come up since it was defined, by what it wrote on its console. */
  boots(host: LabNode, name: string): Promise<number>;
}

function definition(name: string): string {
  const words = name === "deaf1" ? "deaf" : "";
  return `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet no_timer_check panic=5 ${words}</cmdline>
  </os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <serial type='file'><source path='/var/lib/libvirt/qemu/${name}.console' append='on'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>`;
}

async function startLibvirt(host: LabNode, guests: readonly string[]): Promise<void> {
  // Without D-Bus there is no polkit: rights are those of the socket, by group, as on many real hosts.
  // Without cgroups and udev, qemu's own mount namespace can't be made.
  await host.exec(`
printf 'unix_sock_group = "libvirt"\\nunix_sock_rw_perms = "0770"\\nunix_sock_ro_perms = "0770"\\nauth_unix_rw = "none"\\nauth_unix_ro = "none"\\n' >>/etc/libvirt/libvirtd.conf
printf 'host_uuid = "%s"\\n' "$(cat /proc/sys/kernel/random/uuid)" >>/etc/libvirt/libvirtd.conf
printf 'namespaces = []\\nuser = "root"\\ngroup = "root"\\nstdio_handler = "file"\\n' >>/etc/libvirt/qemu.conf
useradd -m guest
usermod -p '*' guest
install -d -o guest -m 700 /home/guest/.ssh
install -o guest -m 600 /root/.ssh/authorized_keys /home/guest/.ssh/authorized_keys
virtlogd -d
libvirtd -d`);
  await until(`libvirtd on ${host.name}`, async () => (await host.try("virsh -c qemu:///system version")).status === 0);
  for (const name of guests) {
    const script = "cat >/run/guest.xml; virsh -c qemu:///system define /run/guest.xml";
    await host.exec(script, { input: definition(name) });
  }
}

export async function openLibvirt(teardown: Teardown): Promise<LibvirtLab> {
  const guest = readFileSync(join(import.meta.dirname, "guest.sh"), "utf8");
  const packages = [
    "libvirt-daemon-system",
    "libvirt-daemon-driver-qemu",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "virtinst",
    "openssh-client",
    "netcat-openbsd",
    "busybox-static",
    "cpio",
    "xz-utils",
  ];
  const root = await rootWith("libvirt-life", packages, guest);
  const network = await openNetwork(teardown);
  const [hv1, hv2] = await Promise.all(
    ["hv1", "hv2"].map((name) => startNode(teardown, network, { name, root })) as [Promise<LabNode>, Promise<LabNode>],
  );
  network.address("dead");
  await shareHosts(network, [hv1, hv2]);
  await Promise.all([startLibvirt(hv1, ["web1", "db1", "ci1"]), startLibvirt(hv2, ["web1", "deaf1"])]);
  const virsh = (host: LabNode, ...words: string[]) =>
    host.exec(`exec virsh -q -c qemu:///system ${words.map((word) => `'${word}'`).join(" ")}`);
  const boots = async (host: LabNode, name: string) => {
    const seen = await host.try(`grep -c '^booted in' /var/lib/libvirt/qemu/${name}.console`);
    return Number(seen.stdout);
  };
  await virsh(hv1, "start", "web1");
  await until("web1 on hv1 booted", async () => (await boots(hv1, "web1")) === 1);
  const dead = `Host dead\n  HostName ${network.address("dead")}\n`;
  return {
    network,
    hv1,
    hv2,
    sshConfig: await writeSshConfig(network, [hv1, hv2], dead),
    virsh,
    state: (host, name) => virsh(host, "domstate", name),
    boots,
  };
}
