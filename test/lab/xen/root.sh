# Makes a Debian 12 with Xen a dom0 that boots by itself in QEMU, with small guests. Run inside a root with its packages.
set -eu
kernel=$(ls /lib/modules | tail -n 1)

# Who may come in: root with a key that is made here and lies in the root, and a user without rights on Xen.
ssh-keygen -q -t ed25519 -N '' -C lab -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
useradd -m -s /bin/bash guest
usermod -p '*' guest
install -d -o guest -m 700 /home/guest/.ssh
install -o guest -m 600 /root/.ssh/authorized_keys /home/guest/.ssh/authorized_keys

# Its only source of packages, as it has no network: what is left to the install journeys, and what that needs.
mkdir -p /srv/packages/partial
apt-get install -y -qq --no-install-recommends --download-only -o Dir::Cache::archives=/srv/packages \
  ganeti-os-noop dnsmasq-base
rm -rf /srv/packages/partial /srv/packages/lock
cd /srv/packages
for file in *.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >Packages

# The host: one disk, one card, whose bridge the guests are plugged into.
echo '/dev/vda / ext4 defaults,noatime 0 0' >/etc/fstab
echo xen1 >/etc/hostname
printf '127.0.0.1 localhost\n10.0.2.15 xen1.lab.example.org xen1\n' >/etc/hosts
cat >/etc/network/interfaces <<'INTERFACES'
auto lo
iface lo inet loopback
auto xenbr0
iface xenbr0 inet static
  address 10.0.2.15/24
  gateway 10.0.2.2
  bridge_ports eth0
  bridge_stp off
  bridge_fd 0
INTERFACES
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
  systemctl disable -q "$unit" 2>/dev/null || true
done
systemctl mask -q e2scrub_reap.service
# xen-tools' friends ship MODULES=most: a list of five is a third of the time to boot.
echo MODULES=list >/etc/initramfs-tools/conf.d/zz-lab
printf 'virtio_pci\nvirtio_blk\nvirtio_net\next4\ncrc32c_generic\n' >>/etc/initramfs-tools/modules
update-initramfs -u
# QEMU starts Xen by multiboot, and that only unpacked.
zcat /boot/xen-4.17-amd64.gz >/boot/xen
ln "/boot/vmlinuz-$kernel" /boot/vmlinuz.lab
ln "/boot/initrd.img-$kernel" /boot/initrd.lab

# The guests: a busybox with a login on hvc0, and the same kernel unpacked (its xz costs seconds in an emulated processor).
mkdir -p /srv/xen /etc/xen/auto
python3 - "/boot/vmlinuz-$kernel" /srv/xen/vmlinux <<'UNPACK'
import lzma, sys
packed = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(lzma.LZMADecompressor().decompress(packed[packed.index(b"\xfd7zXZ\0"):]))
UNPACK
cd /tmp
mkdir -p guest/bin guest/sbin guest/etc guest/proc guest/sys guest/dev guest/root guest/modules guest/var/log
cp /bin/busybox guest/bin/
for name in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox "guest/bin/$name"; done
for name in init poweroff reboot; do ln -s ../bin/busybox "guest/sbin/$name"; done
for name in xen-blkfront xen-netfront; do find "/lib/modules/$kernel" -name "$name.ko" -exec cp {} guest/modules/ \; ; done
echo 'root::0:0:root:/root:/bin/sh' >guest/etc/passwd
echo 'root:x:0:' >guest/etc/group
cat >guest/etc/inittab <<'INITTAB'
::sysinit:/etc/rc
hvc0::respawn:/bin/getty -L 115200 hvc0 vt100
::ctrlaltdel:/bin/reboot
INITTAB
cat >guest/etc/rc <<'RC'
#!/bin/sh
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
hostname "$(sed 's/.*vmname=\([^ ]*\).*/\1/' /proc/cmdline)"
echo "booted in $(cut -d ' ' -f 1 /proc/uptime) s"
RC
printf 'export PS1="\\\\h# "\n' >guest/root/.profile
chmod 755 guest/etc/rc
ln -s bin/busybox guest/init
(cd guest && find . | cpio -o -H newc --quiet | gzip -1) >/srv/xen/initrd.gz

# A disk that boots by its own GRUB: pygrub reads its kernel out of it (gzip unpacks in a tenth of xz's time).
mkdir -p disk/boot/grub /srv/images
gzip -1 -c /srv/xen/vmlinux >disk/boot/vmlinuz
cp /srv/xen/initrd.gz disk/boot/initrd.gz
cat >disk/boot/grub/grub.cfg <<'GRUB'
set default="0"
set timeout=0
menuentry 'Guest' {
  linux /boot/vmlinuz root=/dev/xvda ro console=hvc0 vmname=own1
  initrd /boot/initrd.gz
}
GRUB
mkfs.ext4 -q -d disk /srv/images/own.img 40M
# What firmware boots: a sector that says its line on the serial port, and once more for each key. On a disk, and on an ISO
# image behind El Torito's catalogue.
python3 - <<'SECTOR'
def sector(text):
    code = bytes.fromhex(
        "31c0 8ed8 fc"  # data at 0
        "be2f7c ac 84c0 7412"  # each letter of the text, up to its zero:
        "88c4 bafd03 ec a820 74fb baf803 88e0 ee ebe9"  # sent when the port takes it
        "fb f4 bafd03 ec a801 74f6 baf803 ec ebd6"  # sleep until the next tick; a key: from the start
    )
    return (code + text + b"\r\n\0").ljust(510, b"\0") + b"\x55\xaa"

with open("/srv/images/disk.img", "wb") as disk:
    disk.write(sector(b"booted from its disk").ljust(1 << 20, b"\0"))

def block(*parts):
    return b"".join(parts).ljust(2048, b"\0")

volume = block(b"\1CD001\1\0", b" " * 32, b"BOOT".ljust(32))
record = block(b"\0CD001\1EL TORITO SPECIFICATION".ljust(0x47, b"\0"), (19).to_bytes(4, "little"))
end = block(b"\xffCD001\1")
entry = b"\1".ljust(28, b"\0") + b"\xaa\x55\x55\xaa"
boot = b"\x88\0\0\0\0\0" + (4).to_bytes(2, "little") + (20).to_bytes(4, "little")
with open("/srv/images/boot.iso", "wb") as iso:
    iso.write(bytes(16 * 2048) + volume + record + end + block(entry, boot) + block(sector(b"booted from its drive")))
SECTOR

# A file for each guest of xl: NAME MORE-LINES.
config() {
  printf 'name = "%s"\nkernel = "/srv/xen/vmlinux"\nramdisk = "/srv/xen/initrd.gz"\nextra = "console=hvc0 vmname=%s"\nmemory = 96\nvcpus = 1\n' "$1" "$1"
}
for name in web1 db1; do
  truncate -s 64M "/srv/xen/$name.img"
  { config "$name"; echo "vif = [ 'bridge=xenbr0' ]"; echo "disk = [ 'format=raw,vdev=xvda,access=rw,target=/srv/xen/$name.img' ]"; } >"/etc/xen/$name.cfg"
done
# Named otherwise than its file, with room to grow, and started with the host.
{ config ci1; echo 'maxmem = 128'; echo 'maxvcpus = 2'; } >/etc/xen/build.cfg
ln -s ../build.cfg /etc/xen/auto/build.cfg
# Stays as it ended: shut down, or crashed (it finds no root file system).
{ config keep1; echo 'on_poweroff = "preserve"'; } >/etc/xen/keep1.cfg
{ config crash1 | grep -v '^ramdisk'; echo 'on_crash = "preserve"'; } >/etc/xen/crash1.cfg
# libvirt's own.
for name in vweb vdb; do config "$name" >"/srv/xen/$name.cfg"; done
