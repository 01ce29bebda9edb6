/** What makes a host one that libvirt drives: the lines of each step. Works with KVM, plain emulation and Xen. */
import { type Command, sh } from "../ssh/command.ts";

const settings = sh`export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"`;

/** Packages by what the host runs on. */
export const libvirtPackages = {
  // virtinst has virt-install, by which instances are made.
  base: ["libvirt-daemon-system", "libvirt-clients", "virtinst"],
  // dnsmasq serves the default network; iptables and nftables rules come with the daemon.
  network: ["dnsmasq-base"],
  kvm: ["qemu-system-x86", "qemu-utils"],
  xen: ["libvirt-daemon-driver-xen"],
} as const;

/** Connection of a host: Xen's driver where Xen runs it, QEMU's else. */
export const uriOf = (xen: boolean) => (xen ? "xen:///system" : "qemu:///system");

/** Ends 0 if the daemon answers on this connection. */
export function daemonCheck(uri: string): Command {
  return sh`${settings}
timeout 20 virsh -c ${uri} version > /dev/null 2>&1 || exit 1`;
}

/** Starts the daemon, by systemd where there is one, and waits until it answers. */
export function daemonScript(uri: string): Command {
  return sh`${settings}
if [ -d /run/systemd/system ]; then
  systemctl enable libvirtd.socket libvirtd.service > /dev/null 2>&1
  systemctl restart libvirtd.service || exit 1
else
  mkdir -p /run/libvirt
  if ! [ -e /run/libvirt/virtlogd-sock ]; then virtlogd -d; fi
  if ! [ -e /run/libvirt/libvirt-sock ]; then libvirtd -d; fi
fi
tries=0
while ! timeout 20 virsh -c ${uri} version; do
  tries=$((tries + 1))
  if [ "$tries" -gt 15 ]; then echo ${`libvirt does not answer on ${uri}`} >&2; exit 1; fi
  sleep 1
done`;
}

/** Debian's package brings it; the text is libvirt's own, with addresses that nobody else should use. */
const networkXml =
  "<network><name>default</name><forward mode='nat'/><bridge name='virbr0' stp='on' delay='0'/><ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>";

/** Ends 0 if the network default runs and starts with the host. */
export function networkCheck(uri: string): Command {
  return sh`${settings}
said=$(timeout 20 virsh -c ${uri} net-info default 2> /dev/null) || exit 1
printf '%s\\n' "$said" | grep -q '^Active: *yes' && printf '%s\\n' "$said" | grep -q '^Autostart: *yes' || exit 1`;
}

/** A network of these addresses that is there already stops it: guests and hosts would not tell them apart. */
export function networkScript(uri: string): Command {
  return sh`${settings}
virsh -c ${uri} net-info default > /dev/null 2>&1 || {
  file=$(mktemp) || exit 1
  printf '%s' ${networkXml} > "$file"
  virsh -c ${uri} net-define "$file" || { rm -f "$file"; exit 1; }
  rm -f "$file"
}
virsh -c ${uri} net-autostart default || exit 1
virsh -c ${uri} net-info default | grep -q '^Active: *yes' || virsh -c ${uri} net-start default`;
}

export function networkUndo(uri: string): Command {
  return sh`${settings}
virsh -c ${uri} net-destroy default; virsh -c ${uri} net-autostart --disable default`;
}

/** Ends 0 if the pool default runs and starts with the host. */
export function poolCheck(uri: string): Command {
  return sh`${settings}
said=$(timeout 20 virsh -c ${uri} pool-info default 2> /dev/null) || exit 1
printf '%s\\n' "$said" | grep -q '^State: *running' && printf '%s\\n' "$said" | grep -q '^Autostart: *yes' || exit 1`;
}

export function poolScript(uri: string, directory: string): Command {
  return sh`${settings}
mkdir -p ${directory} || exit 1
virsh -c ${uri} pool-info default > /dev/null 2>&1 || virsh -c ${uri} pool-define-as default dir --target ${directory} || exit 1
virsh -c ${uri} pool-autostart default || exit 1
virsh -c ${uri} pool-info default | grep -q '^State: *running' || virsh -c ${uri} pool-start default`;
}

export function poolUndo(uri: string): Command {
  return sh`${settings}
virsh -c ${uri} pool-destroy default; virsh -c ${uri} pool-undefine default`;
}

/** Ends 0 if these accounts belong to libvirt's group. */
export function groupRightsCheck(users: readonly string[]): Command {
  const tests = users.map(
    (user) => sh`
id -nG ${user} 2> /dev/null | tr ' ' '\\n' | grep -qx libvirt || exit 1`,
  );
  return sh`true${tests}`;
}

export function groupRightsScript(users: readonly string[]): Command {
  const adds = users.map(
    (user) => sh`
id ${user} > /dev/null || exit 1
usermod -a -G libvirt ${user} || exit 1`,
  );
  return sh`${settings}${adds}`;
}

/** Ends 0 if an xend of old already listens for libvirt. */
export function xendCheck(file: string): Command {
  return sh`grep -q '^(xend-unix-server yes)' ${file} || exit 1`;
}

/** The line that let libvirt reach xend, before Xen's tools could do without it. */
export function xendScript(file: string): Command {
  return sh`cp -p ${file} ${`${file}.virtu-new`} || exit 1
{ grep -v '^ *#* *(xend-unix-server ' ${file}; echo '(xend-unix-server yes)'; } > ${`${file}.virtu-new`}
mv -f ${`${file}.virtu-new`} ${file}
if [ -x /etc/init.d/xend ]; then /etc/init.d/xend restart; fi`;
}

/** A call that needs everything: the daemon, the driver, the network and the pool. Changes nothing. */
export function worksCheck(uri: string): Command {
  return sh`${settings}
said=$(timeout 30 virsh -c ${uri} 'capabilities; net-list; pool-list' 2>&1) || { printf '%s\\n' "$said" >&2; exit 1; }
case "$said" in *'<guest>'*) ;; *) echo 'libvirt knows no kind of guest that it could run here' >&2; exit 1 ;; esac`;
}

export function worksScript(uri: string): Command {
  return sh`${worksCheck(uri)}
timeout 30 virsh -c ${uri} 'version; list --all; net-list --all; pool-list --all'`;
}
