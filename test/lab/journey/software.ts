/** What the journeys' nodes can install: a repository that holds it, made once. */
import { bareRoot, packageRepository } from "../roots.ts";

/** Everything that the journeys install on a node, in one place or another. */
const packages = [
  "bridge-utils",
  "dnsmasq-base",
  "ganeti",
  "ganeti-instance-debootstrap",
  "ganeti-os-noop",
  "libvirt-clients",
  "libvirt-daemon-system",
  "locales",
  "lvm2",
  "qemu-system-x86",
  "qemu-utils",
  "virtinst",
];

export interface Software {
  root: string;
  repository: string;
}

export async function software(suite: string): Promise<Software> {
  const root = await bareRoot(suite);
  return { root, repository: await packageRepository(suite, root, packages) };
}
