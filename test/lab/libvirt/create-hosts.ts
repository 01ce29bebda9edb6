/** Two hosts with libvirt and virt-install, with all that instances can be made of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Teardown } from "../lab.ts";
import { until } from "../lab.ts";
import { type LabNode, type Network, openNetwork, shareHosts, startNode, writeSshConfig } from "../nodes.ts";
import { rootWith } from "../roots.ts";

export interface CreateLab {
  network: Network;
  hv1: LabNode;
  hv2: LabNode;
  sshConfig: string;
  /** virsh on the host itself, not through SSH. */
  virsh(host: LabNode, ...words: string[]): Promise<string>;
}

const packages = [
  "libvirt-daemon-system",
  "libvirt-daemon-driver-qemu",
  "libvirt-daemon-config-network",
  "libvirt-clients",
  "dnsmasq-base",
  "iptables",
  "qemu-system-x86",
  "qemu-utils",
  "ipxe-qemu",
  "virtinst",
  "busybox-static",
  "cpio",
  "isolinux",
  "kmod",
  "syslinux-common",
  "xorriso",
  "xz-utils",
];

/** What cloud-image.sh makes the image of, and makes it with. */
const cloudPackages = [
  "ca-certificates",
  "cloud-guest-utils",
  "cloud-init",
  "dbus",
  "dosfstools",
  "fdisk",
  "initramfs-tools",
  "kmod",
  "libpam-systemd",
  "linux-image-cloud-amd64",
  "mtools",
  "qemu-utils",
  "sudo",
  "syslinux",
  "syslinux-common",
  "systemd-sysv",
  "udev",
];

/** A cloud image of this Debian with its own cloud-init, as a file of this machine. */
export async function cloudImage(): Promise<string> {
  const script = readFileSync(join(import.meta.dirname, "cloud-image.sh"), "utf8");
  return join(await rootWith("cloud-image", cloudPackages, script), "var/lib/lab/cloud.qcow2");
}

async function startHost(host: LabNode): Promise<void> {
  // Without D-Bus there is no polkit. Without cgroups and udev, qemu's own mount namespace can't be made.
  await host.exec(`
printf 'auth_unix_rw = "none"\\nauth_unix_ro = "none"\\nhost_uuid = "%s"\\n' "$(cat /proc/sys/kernel/random/uuid)" >>/etc/libvirt/libvirtd.conf
printf 'namespaces = []\\nuser = "root"\\ngroup = "root"\\nstdio_handler = "file"\\n' >>/etc/libvirt/qemu.conf
mkdir -p /etc/libvirt/hooks
printf '#!/bin/sh\n[ "$1/$2" != web-07/prepare ] || { echo "web-07 is not wanted here" >&2; exit 1; }\n' >/etc/libvirt/hooks/qemu
chmod 755 /etc/libvirt/hooks/qemu
virtlogd -d
libvirtd -d`);
  await until(`libvirtd on ${host.name}`, async () => (await host.try("virsh -c qemu:///system version")).status === 0);
  await host.exec(`
mkdir -p /srv/images
export LIBVIRT_DEFAULT_URI=qemu:///system
virsh -q pool-define-as default dir --target /srv/images
virsh -q pool-start default
cp /var/lib/lab/lab.iso /srv/images/lab.iso
virsh -q pool-refresh default
virsh -q net-start default || true`);
}

export async function openCreateLab(teardown: Teardown): Promise<CreateLab> {
  const guest = readFileSync(join(import.meta.dirname, "create-guest.sh"), "utf8");
  const root = await rootWith("create", packages, guest);
  const network = await openNetwork(teardown);
  const [hv1, hv2] = await Promise.all(
    ["hv1", "hv2"].map((name) => startNode(teardown, network, { name, root })) as [Promise<LabNode>, Promise<LabNode>],
  );
  await shareHosts(network, [hv1, hv2]);
  await Promise.all([startHost(hv1), startHost(hv2)]);
  return {
    network,
    hv1,
    hv2,
    sshConfig: await writeSshConfig(network, [hv1, hv2]),
    virsh: (host, ...words) =>
      host.exec(`exec virsh -q -c qemu:///system ${words.map((word) => `'${word}'`).join(" ")}`),
  };
}
