# Makes what instances are made of: an ISO that boots a small Linux in seconds, from a CD as well as from a disk, and the
# same kernel as an install tree. Run inside a root with apt's lists, busybox-static, cpio, kmod, isolinux and xorriso.
# Leaves /var/lib/lab/lab.iso, /var/lib/lab/lab.qcow2 and /var/lib/lab/tree/{vmlinuz,initrd.gz}
set -eu
cd /tmp
package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
apt-get download -qq "$package"
dpkg-deb -x "$package"_*.deb kernel
version=$(ls kernel/lib/modules)
depmod -b kernel "$version"
mkdir -p guest/bin guest/dev guest/proc guest/sys guest/run guest/mnt guest/modules guest/etc guest/var/log
# In the order in which they need each other.
for name in button evdev virtio_pci virtio_blk virtio_net ahci ata_piix sr_mod isofs; do
  modprobe -d kernel -S "$version" --show-depends "$name" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' >order
count=100
while read -r file; do
  count=$((count + 1))
  cp "$file" "guest/modules/$count-${file##*/}"
done <order
for packed in guest/modules/*.xz; do [ ! -e "$packed" ] || xz -d "$packed"; done
cp /bin/busybox guest/bin/busybox
for name in sh mount insmod poweroff ls cat sleep cut grep sed udhcpc ip tr nc blkid findfs; do ln -s busybox "guest/bin/$name"; done
cat >guest/lease <<'LEASE'
#!/bin/sh
[ "$1" != bound ] || ip addr add "$ip/$mask" dev "$interface"
LEASE
cat >guest/init <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1 </dev/ttyS0
for module in /modules/*; do insmod "$module" 2>/dev/null; done
read -r words </proc/cmdline
echo "words $words"
echo "memory $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
echo "cpus $(grep -c ^processor /proc/cpuinfo)"
for disk in /sys/block/vd* /sys/block/sd*; do
  [ ! -e "$disk/size" ] || echo "disk ${disk##*/} $(cat "$disk/size") sectors"
done
# What cloud-init would find: a file system labelled cidata.
for drive in /dev/sr*; do
  [ -e "$drive" ] && mount -t iso9660 -o ro "$drive" /mnt 2>/dev/null || continue
  for file in user-data meta-data network-config; do
    [ ! -e "/mnt/$file" ] || sed "s/^/$file: /" "/mnt/$file"
  done
  host=$(sed -n 's/.*"local-hostname":"\([^"]*\)".*/\1/p' /mnt/meta-data)
  user=$(sed -n 's/.*"name": "\([^"]*\)".*/\1/p' /mnt/user-data)
  [ ! -e /mnt/network-config ] || address=$(sed -n 's/.*"addresses":\["\([^"]*\)".*/\1/p' /mnt/network-config)
done
case $words in *from=tree*) from=tree ;; *) from=image ;; esac
if [ -e /sys/class/net/eth0 ]; then
  ip link set lo up
  ip link set eth0 up
  echo "card $(cat /sys/class/net/eth0/address)"
  if [ -n "$address" ]; then ip addr add "$address" dev eth0
  else
    # Until it has one: on a busy machine an answer is easily missed.
    { until udhcpc -q -n -t 3 -T 2 -i eth0 -s /lease; do :; done; } >/dev/null 2>&1 &
  fi
  while :; do echo SSH-2.0-lab | nc -l -p 22; done >/dev/null 2>&1 &
fi
echo "booted in $(cut -d ' ' -f 1 /proc/uptime) s"
while :; do
  # Who looks at its console later sees by its prompt where it came from, and what cloud-init would have learned.
  printf '%s from=%s user=%s login: ' "${host:-lab}" "$from" "$user"
  read -r line || sleep 1
done
INIT
chmod 755 guest/init guest/lease
mkdir -p /var/lib/lab/tree image/isolinux
cp kernel/boot/vmlinuz-* /var/lib/lab/tree/vmlinuz
chmod 644 /var/lib/lab/tree/vmlinuz
(cd guest && find . | cpio -o -H newc --quiet | gzip -1) >/var/lib/lab/tree/initrd.gz
cp /var/lib/lab/tree/vmlinuz /var/lib/lab/tree/initrd.gz image
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 image/isolinux
cat >image/isolinux/isolinux.cfg <<'CFG'
SERIAL 0
DEFAULT lab
PROMPT 0
LABEL lab
  KERNEL /vmlinuz
  APPEND initrd=/initrd.gz console=ttyS0 quiet no_timer_check panic=5 from=image
CFG
xorriso -as mkisofs -quiet -V LAB -o /var/lib/lab/lab.iso -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin \
  -c isolinux/boot.cat -b isolinux/isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table image
qemu-img convert -O qcow2 /var/lib/lab/lab.iso /var/lib/lab/lab.qcow2
