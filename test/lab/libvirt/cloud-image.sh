# Makes a cloud image of the Debian that it is run in: its kernel, systemd and cloud-init on a disk that boots by itself. Run
# inside a root with cloud-init, linux-image-cloud-amd64, systemd-sysv, dosfstools, mtools, syslinux, fdisk and qemu-utils.
# Leaves /var/lib/lab/cloud.qcow2.
set -eu
mkdir -p /var/lib/lab /var/stage
# As in Debian's own cloud images, but for what only costs an emulated processor its time.
cat >/etc/cloud/cloud.cfg.d/90_lab.cfg <<'CFG'
datasource_list: [NoCloud]
ssh_genkeytypes: [ed25519]
system_info: {network: {renderers: [networkd]}}
CFG
systemctl -q enable systemd-networkd
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online e2scrub_reap dpkg-db-backup.timer
rm -f /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d/lab.conf /etc/machine-id
: >/etc/machine-id
cd /var/stage
tar -C / --one-file-system --exclude=./var/stage --exclude=./boot --exclude=./var/cache --exclude=./var/lib/apt \
  --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./var/lib/lab -cf - . | tar -xf -
mkdir -p boot proc sys dev run tmp var/cache/apt var/lib/apt/lists
chmod 1777 tmp
cd /var/lib/lab
mke2fs -q -t ext4 -d /var/stage root.ext4 1200M
rm -rf /var/stage
truncate -s 96M boot.fat
mkfs.vfat -h 2048 boot.fat >/dev/null
cat >syslinux.cfg <<'CFG'
SERIAL 0
DEFAULT lab
PROMPT 0
LABEL lab
  KERNEL vmlinuz
  APPEND initrd=initrd root=/dev/vda2 rw console=ttyS0 quiet no_timer_check
CFG
mcopy -i boot.fat syslinux.cfg ::
mcopy -i boot.fat /boot/vmlinuz-* ::vmlinuz
mcopy -i boot.fat /boot/initrd.img-* ::initrd
syslinux --install boot.fat
truncate -s 1300M disk
printf '2048,96M,c,*\n198656,,L\n' | sfdisk -q disk
dd if=/usr/lib/syslinux/mbr/mbr.bin of=disk bs=440 count=1 conv=notrunc status=none
dd if=boot.fat of=disk bs=1M seek=1 conv=notrunc,sparse status=none
dd if=root.ext4 of=disk bs=1M seek=97 conv=notrunc,sparse status=none
qemu-img convert -O qcow2 disk cloud.qcow2
rm -f disk boot.fat root.ext4 syslinux.cfg
