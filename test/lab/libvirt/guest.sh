# Makes a guest that boots in seconds: Debian's cloud kernel and a busybox that minds the power button.
# Run inside a root with apt's lists, busybox-static and cpio. Leaves /var/lib/lab/vmlinuz and /var/lib/lab/initrd.gz
set -eu
cd /tmp
package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
apt-get download -qq "$package"
dpkg-deb -x "$package"_*.deb kernel
mkdir -p /var/lib/lab guest/bin guest/dev guest/proc guest/sys guest/run guest/modules guest/etc/acpi/PWRF guest/var/log
cp kernel/boot/vmlinuz-* /var/lib/lab/vmlinuz
chmod 644 /var/lib/lab/vmlinuz
cp /bin/busybox guest/bin/busybox
for name in sh mount insmod acpid poweroff ls grep sleep cut; do ln -s busybox "guest/bin/$name"; done
for name in button evdev; do find kernel -name "$name.ko*" -exec cp {} guest/modules/ \; ; done
# Debian 13 packs its modules.
for packed in guest/modules/*.xz; do [ ! -e "$packed" ] || xz -d "$packed"; done
cat >guest/init <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
insmod /modules/button.ko
insmod /modules/evdev.ko
read -r words </proc/cmdline
case $words in
  *deaf*) ;; # minds no power button
  *)
    acpid -d >/dev/null 2>&1 &
    # Only when the power button is listened to, the guest counts as booted: one line on its console for each boot.
    until ls -l /proc/[0-9]*/fd | grep -q input/event; do sleep 0.05; done
    ;;
esac
echo "booted in $(cut -d ' ' -f 1 /proc/uptime) s"
while :; do sleep 3600; done
INIT
# The name of the file is the event: the power button.
printf '#!/bin/sh\nexec /bin/poweroff -f\n' >guest/etc/acpi/PWRF/00000080
chmod 755 guest/init guest/etc/acpi/PWRF/00000080
(cd guest && find . | cpio -o -H newc --quiet | gzip -1) >/var/lib/lab/initrd.gz
