/** What turns nodes into a Ganeti cluster (3.0 on Debian 12, 3.1 on 13): the lines of each step. */
import { type Command, sh } from "../ssh/command.ts";
import { nodeDirectory } from "./own-file.ts";

/** gnt-* answer in the locale, and are in /usr/sbin. */
export const settings = sh`export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"`;

const data = "/var/lib/ganeti";

/** Packages by what they are for; none of what they recommend is needed. */
export const ganetiPackages = {
  base: ["ganeti", "bridge-utils"],
  lvm: ["lvm2"],
  kvm: ["qemu-system-x86", "qemu-utils"],
  xen: ["xen-system-amd64", "xen-utils-common"],
  // The emulator that Xen's tools only recommend; Ganeti refuses a cluster without it.
  xenHvm: ["qemu-system-xen"],
  noop: ["ganeti-os-noop"],
  debootstrap: ["ganeti-instance-debootstrap"],
} as const;

/** The names under which Ganeti looks for a Xen guest's kernel and initial RAM disk unless told otherwise. */
const xenKernel = "/boot/vmlinuz-3-xenU";
const xenInitrd = "/boot/initrd-3-xenU";

/** Ends 0 if both links lead somewhere. */
export function kernelLinksCheck(): Command {
  return sh`[ -e ${xenKernel} ] && [ -e ${xenInitrd} ] || exit 1`;
}

/** Links to the running kernel, or to the newest one of /boot. */
export function kernelLinksScript(): Command {
  return sh`${settings}
version=$(uname -r)
if [ ! -e "/boot/vmlinuz-$version" ]; then version=''; for file in /boot/vmlinuz-[0-9]*; do case "$file" in *-xenU) ;; *) if [ -f "$file" ]; then version=\${file#/boot/vmlinuz-}; fi ;; esac; done; fi
if [ -z "$version" ]; then echo 'there is no kernel in /boot' >&2; exit 1; fi
ln -sf "vmlinuz-$version" ${xenKernel} && ln -sf "initrd.img-$version" ${xenInitrd} && echo "guests boot $version"`;
}

export function kernelLinksUndo(): Command {
  return sh`rm -f ${xenKernel} ${xenInitrd}`;
}

const pathsFile = "/etc/ganeti/file-storage-paths";

/** Ends 0 if instances may have their disks as files below this directory. */
export function storageCheck(directory: string): Command {
  return sh`[ -d ${directory} ] && grep -qxF ${directory} ${pathsFile} 2> /dev/null || exit 1`;
}

/** Ganeti takes a directory only if this file allows it, on all nodes, before the cluster is made. */
export function storageScript(directory: string): Command {
  return sh`mkdir -p ${directory} /etc/ganeti && chmod 750 ${directory} || exit 1
grep -qxF ${directory} ${pathsFile} 2> /dev/null || printf '%s\\n' ${directory} >> ${pathsFile}`;
}

export interface ClusterWish {
  name: string;
  hypervisors: readonly string[];
  templates: readonly string[];
  group: string | null;
  fileDirectory: string | null;
  bridge: string;
  /** All nodes have /dev/vhost-net, /dev/kvm. */
  vhostNet: boolean;
  kvm: boolean;
}

function parameters({ hypervisors, vhostNet, kvm }: ClusterWish): Command[] {
  // 3.1 uses vhost_net unless told otherwise, and then starts nothing where the device is missing. `kvm` as program insists on the
  // device, the emulator by its own name does not.
  const program = kvm ? "" : ",kvm_path=/usr/bin/qemu-system-x86_64";
  const options: Record<string, Command> = {
    kvm: sh`-H ${`kvm:kernel_path=,initrd_path=,serial_console=true,vhost_net=${vhostNet}${program}`}`,
    "xen-pvm": sh`-H ${`xen-pvm:xen_cmd=xl,kernel_path=${xenKernel},initrd_path=${xenInitrd},kernel_args=ro console=hvc0`}`,
    "xen-hvm": sh`-H "xen-hvm:xen_cmd=xl,kernel_path=$(ls /usr/lib/xen-*/boot/hvmloader | tail -n 1),device_model=/usr/libexec/xen-qemu-system-i386"`,
  };
  return hypervisors.flatMap((name) => options[name] ?? []);
}

/** Ends 0 if this machine is the master of this cluster, 1 if of none, 2 if it belongs to another one. */
export function initCheck(name: string): Command {
  const file = `${data}/ssconf_cluster_name`;
  return sh`if [ ! -s ${file} ]; then exit 1; fi
if [ "$(cat ${file})" != ${name} ]; then echo "this node belongs to the cluster $(cat ${file})" >&2; exit 2; fi`;
}

/**
 * Makes the cluster. `gnt-cluster init` asks nothing; its default bridge is xen-br0 and its default storage plain and drbd, so
 * both are named. A half-made one (no ssconf yet) is tried again.
 */
export function initScript(wish: ClusterWish): Command {
  const words = [
    `--enabled-hypervisors=${wish.hypervisors.join(",")}`,
    `--enabled-disk-templates=${wish.templates.join(",")}`,
    ...(wish.group === null ? [] : [`--vg-name=${wish.group}`]),
    ...(wish.fileDirectory === null ? [] : [`--file-storage-dir=${wish.fileDirectory}`]),
    `--master-netdev=${wish.bridge}`,
    `--nic-parameters=link=${wish.bridge}`,
    "--no-etc-hosts",
    "--default-iallocator=hail",
  ];
  // Ganeti's errors are several lines, of which the last says what is wrong.
  return sh`${settings}
errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT
gnt-cluster init ${words} ${parameters(wish)} ${wish.name} 2> "$errors"
status=$?
cat "$errors" >&2
if [ "$status" != 0 ]; then echo "error: $(tail -n 1 "$errors")" >&2; exit "$status"; fi`;
}

/** Gives the key by which the master logs in elsewhere; `init` makes it unless it is there. */
export function masterKeyCheck(): Command {
  return sh`if [ ! -s /root/.ssh/id_rsa.pub ]; then exit 1; fi
echo "#virtu give MASTER_KEY $(head -n 1 /root/.ssh/id_rsa.pub)"`;
}

export function masterKeyScript(): Command {
  return sh`if [ ! -s /root/.ssh/id_rsa.pub ]; then echo 'the master has no /root/.ssh/id_rsa.pub' >&2; exit 1; fi
echo "#virtu give MASTER_KEY $(head -n 1 /root/.ssh/id_rsa.pub)"`;
}

const keys = "/root/.ssh/authorized_keys";

/** Ends 0 if the key in `$MASTER_KEY` is let in. */
export function letMasterInCheck(): Command {
  return sh`if [ -z "$MASTER_KEY" ]; then echo 'the key of the master is not known' >&2; exit 2; fi
grep -qF "$(printf '%s' "$MASTER_KEY" | cut -d ' ' -f 2)" ${keys} 2> /dev/null || exit 1`;
}

export function letMasterInScript(): Command {
  return sh`if [ -z "$MASTER_KEY" ]; then echo 'the key of the master is not known' >&2; exit 2; fi
mkdir -p /root/.ssh && chmod 700 /root/.ssh && touch ${keys} && chmod 600 ${keys} || exit 1
if [ -s ${keys} ] && [ -n "$(tail -c 1 ${keys})" ]; then echo >> ${keys}; fi
grep -qF "$(printf '%s' "$MASTER_KEY" | cut -d ' ' -f 2)" ${keys} || printf '%s\\n' "$MASTER_KEY" >> ${keys}`;
}

const nodeList = `${data}/ssconf_node_list`;

/** Ends 0 if all of these belong to the cluster. Runs on the master. */
export function addNodesCheck(names: readonly string[]): Command {
  const tests = names.map(
    (name) => sh`
grep -qxF ${name} ${nodeList} || exit 1`,
  );
  return sh`if [ ! -s ${nodeList} ]; then exit 1; fi${tests}`;
}

/**
 * Adds the others, one after the other: Ganeti locks the cluster for each. A node on which the master is not let in was left
 * out, or failed before: it is passed over, and so named. `--no-ssh-key-check` keeps ssh from asking twice; without a
 * terminal a question would end it without a word.
 */
export function addNodesScript(names: readonly string[]): Command {
  return sh`${settings}
failed=''
for node in ${names}; do
  if grep -qxF "$node" ${nodeList}; then echo "$node is in the cluster"; continue; fi
  if ! ssh -i /root/.ssh/id_rsa -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "root@$node" true < /dev/null; then
    echo "$node does not let the master in: passed over"
    continue
  fi
  echo "adding $node"
  gnt-node add --no-ssh-key-check "$node" < /dev/null || failed="$failed $node"
done
if [ -n "$failed" ]; then echo "error: not added:$failed" >&2; exit 1; fi`;
}

/** Ends 0 if this node knows itself as a member. Runs on each node that was to be added. */
export function joinedCheck(name: string): Command {
  return sh`grep -qxF ${name} ${nodeList} 2> /dev/null || exit 1`;
}

export function joinedScript(name: string): Command {
  return sh`tries=0
while ! grep -qxF ${name} ${nodeList} 2> /dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 10 ]; then echo 'the master has not added this node; see what it said when it tried' >&2; exit 1; fi
  sleep 1
done`;
}

const verified = `${nodeDirectory}/ganeti-verified`;
const members = sh`cat ${`${data}/ssconf_cluster_name`} ${nodeList}`;

/** Ends 0 if the cluster was found clean with these nodes. */
export function verifyCheck(): Command {
  return sh`[ -s ${verified} ] && [ "$(cat ${verified})" = "$(${members})" ] || exit 1`;
}

/** Ends 0 if Ganeti finds no error. Its findings are in the output, for `parseFindings`. */
export function verifyScript(): Command {
  // Right after its init the master may not have taken the cluster's address yet: that alone is looked at again.
  return sh`${settings}
rm -f ${verified}
found=$(mktemp) || exit 1
trap 'rm -f "$found"' EXIT
tries=1
while :; do
  gnt-cluster verify --error-codes > "$found" 2>&1
  status=$?
  if [ "$status" = 0 ] || [ $tries -ge 4 ] || ! grep -q 'cannot reach the master IP' "$found"; then break; fi
  tries=$((tries + 1))
  sleep 5
done
cat "$found"
if [ "$status" != 0 ]; then
  first=$(grep -e '- ERROR' "$found" | head -n 1)
  if [ -n "$first" ]; then
    echo "error: Ganeti finds $(grep -c -e '- ERROR' "$found") errors, the first: \${first#*- ERROR:}" >&2
  else
    # A job that breaks off finds nothing: its own end says why.
    echo "error: Ganeti could not finish: $(grep -e '^Job [0-9]* has failed: ' -e '^Failure: ' "$found" | head -n 1)" >&2
  fi
  exit "$status"
fi
mkdir -p ${nodeDirectory} && ${members} > ${verified}`;
}

/** Takes a cluster away again that has no instance and no other node. */
export function initUndo(): Command {
  return sh`${settings}
gnt-cluster destroy --yes-do-it`;
}
