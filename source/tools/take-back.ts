/**
 * Takes back what was made on nodes: instances of Ganeti and libvirt by name, and a whole Ganeti cluster. What is gone
 * already is no failure.
 */
import { type Command, sh } from "../ssh/command.ts";
import { settings } from "./ganeti-install.ts";

const clusterFile = "/var/lib/ganeti/ssconf_cluster_name";

/** Ends 0 if the node is in no cluster, or that has none of these instances. Runs on the master. */
export function ganetiGoneCheck(names: readonly string[]): Command {
  return sh`${settings}
if [ ! -s ${clusterFile} ]; then exit 0; fi
all=$(gnt-instance list --no-headers -o name) || exit 2
for name in ${names}; do
  if printf '%s\\n' "$all" | grep -qxF "$name"; then exit 1; fi
done`;
}

/** Ends and removes them with their disks, one after the other. */
export function ganetiRemoveScript(names: readonly string[]): Command {
  return sh`${settings}
if [ ! -s ${clusterFile} ]; then exit 0; fi
all=$(gnt-instance list --no-headers -o name) || exit 1
failed=''
for name in ${names}; do
  if ! printf '%s\\n' "$all" | grep -qxF "$name"; then echo "$name is gone"; continue; fi
  gnt-instance remove -f --shutdown-timeout=5 "$name" < /dev/null || failed="$failed $name"
done
if [ -n "$failed" ]; then echo "error: not removed:$failed" >&2; exit 1; fi`;
}

/** Ends 0 if the node is in no cluster, 2 if in another one. Runs on the master. */
export function clusterGoneCheck(name: string): Command {
  return sh`if [ ! -s ${clusterFile} ]; then exit 0; fi
if [ "$(cat ${clusterFile})" != ${name} ]; then echo "this node belongs to the cluster $(cat ${clusterFile})" >&2; exit 2; fi
exit 1`;
}

/** Destroys the cluster, which must have no instance any more: those that somebody else has made are not touched. */
export function clusterDestroyScript(): Command {
  return sh`${settings}
if [ ! -s ${clusterFile} ]; then exit 0; fi
left=$(gnt-instance list --no-headers -o name) || exit 1
if [ -n "$left" ]; then echo "error: it has other instances:" $left >&2; exit 1; fi
master=$(gnt-cluster getmaster) || exit 1
for node in $(gnt-node list --no-headers -o name); do
  if [ "$node" = "$master" ]; then continue; fi
  echo "removing $node"
  gnt-node remove "$node" < /dev/null || { echo "error: $node can't be taken out of the cluster" >&2; exit 1; }
done
gnt-cluster destroy --yes-do-it`;
}

const virsh = (uri: string) => sh`LC_ALL=C.UTF-8 virsh -c ${uri}`;

/** Ends 0 if the host has no libvirt, or that has none of these. */
export function libvirtGoneCheck(uri: string, names: readonly string[]): Command {
  return sh`if ! command -v virsh > /dev/null; then exit 0; fi
all=$(${virsh(uri)} list --all --name) || exit 2
for name in ${names}; do
  if printf '%s\\n' "$all" | grep -qxF "$name"; then exit 1; fi
done`;
}

/** Ends and removes them with the volumes that libvirt manages. */
export function libvirtRemoveScript(uri: string, names: readonly string[]): Command {
  return sh`all=$(${virsh(uri)} list --all --name) || exit 1
failed=''
for name in ${names}; do
  if ! printf '%s\\n' "$all" | grep -qxF "$name"; then continue; fi
  ${virsh(uri)} destroy "$name" > /dev/null 2>&1
  ${virsh(uri)} undefine "$name" --remove-all-storage --nvram || failed="$failed $name"
done
if [ -n "$failed" ]; then echo "error: not removed:$failed" >&2; exit 1; fi`;
}
