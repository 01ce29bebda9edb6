# Gives the guest that libvirt/guest.sh left in /tmp/guest a login on its serial line and a word on its screen.
# "deaf" on its kernel's command line: it minds no power button, as there; "mute": it says nothing on its serial line.
for name in getty login hostname uname setsid yes cat; do ln -sf busybox "guest/bin/$name"; done
mkdir -p guest/root
echo 'root::0:0:root:/root:/bin/sh' >guest/etc/passwd
echo 'root:x:0:' >guest/etc/group
sed -i '$d' guest/init
cat >>guest/init <<'INIT'
echo "the screen of $(hostname)" >/dev/tty0
while :; do setsid getty -L 115200 ttyS0 xterm; sleep 1; done
INIT
(cd guest && find . | cpio -o -H newc --quiet | gzip -1) >/var/lib/lab/login.gz
