/** Everything that a plan needs to know of a node, in one command. It reads, and changes nothing. */
import { type Command, sh } from "../ssh/command.ts";

/** Packages whose versions decide what is left to do. */
export const knownPackages = [
  "ganeti",
  "ganeti-os-noop",
  "ganeti-instance-debootstrap",
  "lvm2",
  "bridge-utils",
  "qemu-system-x86",
  "qemu-utils",
  "xen-utils-common",
  "ifupdown",
  "libvirt-daemon-system",
  "libvirt-daemon-xen",
  "libvirt-clients",
  "needrestart",
] as const;

/**
 * Prints parts, each after a line `@virtu NAME`. Each part may fail alone: minimal images lack lsblk, ip, systemd or LVM.
 * The password field of root is told by its kind only, never as it stands.
 * @param devices Disks to look at even if `lsblk` lists them under another name (`/dev/sdb`).
 */
export function nodeStateCommand(devices: readonly string[] = []): Command {
  const named = devices.map(
    (device) =>
      sh`echo ${`@virtu device ${device}`}; lsblk -J -b -o NAME,TYPE,SIZE,FSTYPE,MOUNTPOINTS,PTTYPE,MODEL,RO ${device} 2> /dev/null
`,
  );
  return sh`export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
echo '@virtu clock'; date +%s
echo '@virtu user'; id -u
echo '@virtu hostname'; hostname
echo '@virtu full-name'; hostname -f 2> /dev/null
echo '@virtu name-address'; getent ahostsv4 "$(hostname)" 2> /dev/null
echo '@virtu system'; cat /etc/os-release 2> /dev/null
echo '@virtu architecture'; dpkg --print-architecture 2> /dev/null
echo '@virtu kernel'; uname -r
echo '@virtu connection'; echo "$SSH_CONNECTION"
echo '@virtu timezone'; readlink /etc/localtime 2> /dev/null; cat /etc/timezone 2> /dev/null
echo '@virtu locale'; cat /etc/default/locale 2> /dev/null
echo '@virtu locales'; locale -a 2> /dev/null
echo '@virtu addresses'; ip -json -details addr 2> /dev/null
echo '@virtu routes'; ip -json route 2> /dev/null
echo '@virtu network'; systemctl is-active networking systemd-networkd NetworkManager 2> /dev/null
for file in /etc/network/interfaces /etc/network/interfaces.d/* /etc/netplan/*.yaml /etc/systemd/network/*.network /run/systemd/network/*.network; do
  if [ -f "$file" ]; then echo "@virtu file $file"; cat "$file"; fi
done
echo '@virtu disks'; lsblk -J -b -o NAME,TYPE,SIZE,FSTYPE,MOUNTPOINTS,PTTYPE,MODEL,RO 2> /dev/null
${named}echo '@virtu groups'; if command -v vgs > /dev/null; then echo lvm; vgs --noheadings --units b --nosuffix --separator '|' -o vg_name,vg_size,vg_free 2> /dev/null; fi
echo '@virtu volumes'; if command -v pvs > /dev/null; then pvs --noheadings --separator '|' -o pv_name,vg_name 2> /dev/null; fi
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  if [ -f "$file" ]; then echo "@virtu file $file"; cat "$file"; fi
done
echo '@virtu packages'; dpkg-query -W -f='\${db:Status-Status} \${Package} \${Version}\n' ${knownPackages} 2> /dev/null
echo '@virtu package-lock'; for process in /proc/[0-9]*; do case "$(cat "$process/comm" 2> /dev/null)" in apt|apt-get|aptitude|dpkg|unattended-upgr) cat "$process/comm" ;; esac; done 2> /dev/null
echo '@virtu half-done'; ls /var/lib/dpkg/updates 2> /dev/null
echo '@virtu hosts'; cat /etc/hosts 2> /dev/null
echo '@virtu authorized-keys'; cat /root/.ssh/authorized_keys 2> /dev/null
echo '@virtu own-key'; if [ -s /root/.ssh/id_ed25519 ]; then cat /root/.ssh/id_ed25519.pub 2> /dev/null; fi
echo '@virtu host-keys'; cat /etc/ssh/ssh_host_*_key.pub 2> /dev/null
echo '@virtu password'; while IFS=: read -r name field rest; do if [ "$name" = root ]; then case "$field" in '') echo none ;; '!'*|'*'*) echo locked ;; *) echo set ;; esac; fi; done < /etc/shadow 2> /dev/null
echo '@virtu virtual'; if [ -e /dev/kvm ]; then echo kvm; fi; if [ -e /dev/vhost-net ]; then echo vhost-net; fi
if [ "$(cat /sys/hypervisor/type 2> /dev/null)" = xen ]; then if grep -q control_d /proc/xen/capabilities 2> /dev/null; then echo dom0; else echo xen-guest; fi; fi
for file in /etc/xen/xend-config.sxp /etc/xen/xend-config.xml; do if [ -f "$file" ]; then echo "xend $file"; fi; done
echo '@virtu boot'; ls /boot 2> /dev/null
echo '@virtu free'; df -B1 --output=target,avail / /var /boot 2> /dev/null
echo '@virtu memory'; grep -F MemTotal /proc/meminfo 2> /dev/null
echo '@virtu ganeti'; cat /var/lib/ganeti/ssconf_cluster_name 2> /dev/null && cat /var/lib/ganeti/ssconf_master_node && cat /var/lib/ganeti/ssconf_node_list
echo '@virtu libvirt'; for socket in /run/libvirt/libvirt-sock /run/libvirt/virtqemud-sock; do if [ -e "$socket" ]; then echo "$socket"; fi; done
echo '@virtu end'`;
}
