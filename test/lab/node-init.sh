# Becomes the first process of a node: its own root over a shared read-only one, its own devices, then an init that reaps.
# Run by unshare in new mount, UTS, IPC, network and PID namespaces: sh node-init.sh EMPTY-DIRECTORY ROOT NAME
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
mkdir -p run/sshd run/lock
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

hostname "$name"
echo "$name" >etc/hostname
mkdir -p mnt/outside
pivot_root . mnt/outside
umount -l mnt/outside
rm -f /etc/ssh/ssh_host_*
ssh-keygen -A >/dev/null
service ssh start >/dev/null
echo "node is up"
exec tini -- sleep infinity
