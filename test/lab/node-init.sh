# Becomes the first process of a node: its own root over a shared read-only one, its own devices, then an init that reaps.
# Run by unshare in new mount, UTS, IPC, network and PID namespaces: sh node-init.sh EMPTY-DIRECTORY ROOT NAME
# By environment: REPOSITORY, a package repository that becomes the only source of apt; DISK, a block device that becomes sdb.
# Everything that is written lives in memory and is gone when the last process of the node is.
set -eu
place=$1 lower=$2 name=$3

mount --make-rprivate /
mount -t tmpfs -o mode=755,size=3g node "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$place/upper,workdir=$place/work" node "$place/root"
cd "$place/root"

mount -t proc proc proc
# A fresh one shows the node's own interfaces, as bridges are looked for there.
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 run run
mkdir -p run/sshd run/lock run/network
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm dev/net
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
# No /dev/kvm: guests are emulated, the same on every machine.
mknod -m 666 dev/net/tun c 10 200

if [ -n "${DISK:-}" ]; then
  mknod dev/sdb b $((0x$(stat -c %t "$DISK"))) $((0x$(stat -c %T "$DISK")))
fi
if [ -n "${REPOSITORY:-}" ]; then
  mkdir -p srv/apt
  mount --bind -o ro "$REPOSITORY" srv/apt
  rm -rf etc/apt/sources.list etc/apt/sources.list.d/*
  # Debian 12 is installed with one-line sources, Debian 13 with the form that has fields.
  if grep -q '^VERSION_ID="12"' etc/os-release; then
    echo 'deb [trusted=yes] file:/srv/apt ./' >etc/apt/sources.list
  else
    printf 'Types: deb\nURIs: file:/srv/apt\nSuites: ./\nTrusted: yes\n' >etc/apt/sources.list.d/debian.sources
  fi
  # A kernel without magic SysRq can't ever please "gnt-cluster verify": where it is missing, that one check looks for
  # something that is there. Each time that packages were installed, as a node starts without Ganeti.
  if [ ! -e /proc/sysrq-trigger ]; then
    cat >usr/local/sbin/no-sysrq <<'X'
#!/bin/sh
for file in /usr/share/ganeti/[0-9]*/ganeti/backend.py; do
  ! grep -qs 'isfile("/proc/sysrq-trigger")' "$file" || sed -i 's#isfile("/proc/sysrq-trigger")#isfile("/proc/version")#' "$file"
done
X
    chmod 755 usr/local/sbin/no-sysrq
    echo 'DPkg::Post-Invoke {"/usr/local/sbin/no-sysrq";};' >etc/apt/apt.conf.d/no-sysrq
  fi
fi

hostname "$name"
echo "$name" >etc/hostname
mkdir -p mnt/outside
pivot_root . mnt/outside
umount -l mnt/outside
rm -f /etc/ssh/ssh_host_*
ssh-keygen -A >/dev/null
service ssh start >/dev/null
[ ! -e /dev/sdb ] || exec 9</dev/sdb
echo "node is up"
exec tini -- sleep infinity
