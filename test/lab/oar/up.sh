#!/bin/bash
# Brings up a real OAR 2.5 on one Debian 12 machine without systemd: PostgreSQL, the OAR server, nodes in network
# namespaces, and an SSH frontend for an ordinary user. Run as root; safe to run again; down.sh stops it.
#
#   up.sh [STATE]      STATE is the directory of its keys, logs and process numbers (/var/tmp/virtu-lab/oar)
#
# Afterwards STATE/ssh_config has the hosts `frontend` and `frontend-root`: virtu -F STATE/ssh_config jobs --site frontend
# With BARE=yes there is nothing behind the nodes' names: who comes with nodes of his own plugs them into virtuoar0.
# Settings by environment: NODES=4 CORES=4 SUBNETS=4 CLUSTER DOMAIN LABUSER PORT NET DBPORT.
set -eu
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
here=$(cd "$(dirname "$0")" && pwd)
STATE=$(mkdir -p "${1:-/var/tmp/virtu-lab/oar}" && cd "${1:-/var/tmp/virtu-lab/oar}" && pwd)
NODES=${NODES:-4} CORES=${CORES:-4} SUBNETS=${SUBNETS:-4}
CLUSTER=${CLUSTER:-paravance} DOMAIN=${DOMAIN:-oar.lab}
BARE=${BARE:-} LABUSER=${LABUSER:-virtulab} PORT=${PORT:-22466} NET=${NET:-10.158.66} DBPORT=${DBPORT:-5466}
. "$here/parts.sh"

[ "$(id -u)" = 0 ] || fail "the OAR lab needs root"
command -v apt-get >/dev/null || fail "the OAR lab installs Debian packages: there is no apt-get here"

packages() {
  local wanted="oar-server oar-server-pgsql oar-user oar-user-pgsql oar-node postgresql libdbd-pg-perl libjson-perl
    libyaml-perl openssh-server openssh-client iproute2 procps util-linux lsb-base" missing="" name
  for name in $wanted; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing="$missing $name"
  done
  [ -n "$missing" ] || return 0
  say "installing$missing"
  # Nothing of these may start by itself.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; else policy=; fi
  { apt-get -o DPkg::Lock::Timeout=900 update &&
    apt-get -o DPkg::Lock::Timeout=900 install -y --no-install-recommends $missing; } >"$STATE/apt.log" 2>&1 ||
    { [ -z "$policy" ] || rm -f "$policy"; tail -5 "$STATE/apt.log" >&2; fail "apt-get failed, see $STATE/apt.log"; }
  [ -z "$policy" ] || rm -f "$policy"
}

database() {
  PGVERSION=$(ls /usr/lib/postgresql | sort -n | tail -1)
  echo "$PGVERSION" >"$STATE/pgversion"
  if ! pg_lsclusters -h | awk '{print $1"/"$2}' | grep -qx "$PGVERSION/virtulab"; then
    say "PostgreSQL cluster $PGVERSION/virtulab on $DBPORT"
    local secret; secret=$(mktemp /tmp/virtulab.XXXXXX)
    printf 'virtulab\n' >"$secret"; chown postgres "$secret"
    pg_createcluster "$PGVERSION" virtulab -p "$DBPORT" --start-conf manual -- --pwfile="$secret" >/dev/null
    rm -f "$secret"
    printf "listen_addresses = '127.0.0.1'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n" \
      >"/etc/postgresql/$PGVERSION/virtulab/conf.d/virtulab.conf"
  fi
  database_up
}

configuration() {
  local conf=/etc/oar/oar.conf
  [ -e "$STATE/oar.conf.before" ] || cp -p $conf "$STATE/oar.conf.before"
  cp -p "$STATE/oar.conf.before" "$STATE/oar.conf.new"
  set_conf() {
    sed -i -E "/^#?$1=/d" "$STATE/oar.conf.new"
    echo "$1=\"$2\"" >>"$STATE/oar.conf.new"
  }
  set_conf DB_PORT "$DBPORT"; set_conf DB_BASE_PASSWD oar; set_conf DB_BASE_PASSWD_RO oar_ro
  # The nodes' oarexec calls home by this name.
  set_conf SERVER_HOSTNAME "frontend.$DOMAIN"
  set_conf DEPLOY_HOSTNAME 127.0.0.1; set_conf COSYSTEM_HOSTNAME 127.0.0.1
  set_conf OARSUB_NODES_RESOURCES network_address
  set_conf SCHEDULER_JOB_SECURITY_TIME 1; set_conf SCHEDULER_MIN_TIME_BETWEEN_2_CALLS 1
  set_conf FINAUD_FREQUENCY 0
  set_conf WALLTIME_CHANGE_ENABLED YES; set_conf WALLTIME_MAX_INCREASE 7200
  # No control groups: a container may not have them, and deploy jobs do without.
  sed -i -E 's/^(JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD|CPUSET_PATH)=/#&/' "$STATE/oar.conf.new"
  install -o oar -g oar -m 600 "$STATE/oar.conf.new" $conf
  touch /var/log/oar.log; chown oar /var/log/oar.log
  if ! oar-database --check >/dev/null 2>&1; then
    say "OAR's database"
    oar-database --create --db-admin-user=postgres --db-admin-pass=virtulab >"$STATE/oar-database.log" 2>&1 ||
      fail "oar-database failed, see $STATE/oar-database.log"
  fi
}

network() {
  local i
  {
    grep -v '# virtu-lab-oar$' /etc/hosts || true
    echo "$NET.1 frontend.$DOMAIN # virtu-lab-oar"
    for i in $(seq "$NODES"); do echo "$NET.$((10 + i)) $(node_name "$i") $CLUSTER-$i # virtu-lab-oar"; done
  } >"$STATE/hosts"
  # Written in place: in a container the file is a mount.
  cat "$STATE/hosts" >/etc/hosts
  if ! ip link show virtuoar0 >/dev/null 2>&1; then
    ip link add virtuoar0 type bridge || fail "no network namespaces here: the lab needs CAP_NET_ADMIN"
    ip addr add "$NET.1/24" dev virtuoar0
    ip link set virtuoar0 up
  fi
  [ -z "$BARE" ] || return 0
  for i in $(seq "$NODES"); do
    ip netns list | grep -qw "virtuoar$i" && continue
    ip netns add "virtuoar$i"
    ip link add "virtuoarv$i" type veth peer name eth0 netns "virtuoar$i"
    ip link set "virtuoarv$i" master virtuoar0 up
    ip -n "virtuoar$i" link set lo up
    ip -n "virtuoar$i" addr add "$NET.$((10 + i))/24" dev eth0
    ip -n "virtuoar$i" link set eth0 up
  done
}

accounts() {
  id "$LABUSER" >/dev/null 2>&1 || useradd -m -s /bin/bash "$LABUSER"
  # A locked password keeps sshd out when it runs without PAM.
  usermod -p '*' oar; usermod -p '*' "$LABUSER"
  local key
  for key in user node host; do
    [ -e "$STATE/$key.key" ] || ssh-keygen -q -t ed25519 -N '' -C "virtu-lab-$key" -f "$STATE/$key.key"
  done
  local home; home=$(getent passwd "$LABUSER" | cut -d: -f6)
  install -d -o "$LABUSER" -g "$LABUSER" -m 700 "$home/.ssh"
  install -o "$LABUSER" -g "$LABUSER" -m 600 "$STATE/user.key.pub" "$home/.ssh/authorized_keys"
  install -m 600 "$STATE/node.key.pub" "$STATE/node_authorized_keys"
  mkdir -p /run/sshd
}

# The frontend's oarsub is the real one. When STATE/hold-oarsub exists it keeps its answer back until that is gone, so
# that a test can cut the link between the submission and the answer.
wrapper() {
  mkdir -p "$STATE/bin"
  cat >"$STATE/bin/oarsub" <<X
#!/bin/sh
[ -e "$STATE/hold-oarsub" ] || exec /usr/bin/oarsub "\$@"
answer=\$(/usr/bin/oarsub "\$@" 2>&1); status=\$?
touch "$STATE/hold-oarsub.reached" 2>/dev/null
while [ -e "$STATE/hold-oarsub" ]; do sleep 0.2; done
printf '%s\n' "\$answer"
exit \$status
X
  chmod 755 "$STATE" "$STATE/bin" "$STATE/bin/oarsub"
}

ssh_files() {
  local common="PidFile none
HostKey $STATE/host.key
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
MaxSessions 10
Subsystem sftp internal-sftp"
  printf '%s\nPort %s\nListenAddress 127.0.0.1\nSetEnv PATH=%s/bin:/usr/local/bin:/usr/bin:/bin\nAllowUsers %s root\nPermitRootLogin prohibit-password\nMatch User root\n  AuthorizedKeysFile %s\n' \
    "$common" "$PORT" "$STATE" "$LABUSER" "$STATE/node_authorized_keys" >"$STATE/sshd_frontend"
  printf '%s\nPort 22\nAllowUsers root\nPermitRootLogin prohibit-password\nAuthorizedKeysFile %s\n' \
    "$common" "$STATE/node_authorized_keys" >"$STATE/sshd_node"
  local key i
  key=$(cut -d' ' -f1,2 "$STATE/host.key.pub")
  { echo "[127.0.0.1]:$PORT $key"; for i in $(seq "$NODES"); do echo "$(node_name "$i") $key"; done; } >"$STATE/known_hosts"
  cat >"$STATE/ssh_config" <<X
Host frontend
  User $LABUSER
  IdentityFile $STATE/user.key
Host frontend-root
  User root
  IdentityFile $STATE/node.key
Host frontend frontend-root
  HostName 127.0.0.1
  Port $PORT
Host *.$DOMAIN
  User root
  IdentityFile $STATE/node.key
  ProxyJump frontend
Host *
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile $STATE/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
X
}

daemons() {
  local i
  start sshd-oar /usr/sbin/sshd -D -e -f /etc/oar/sshd_config -o PidFile=none -o ListenAddress=127.0.0.1 -o "ListenAddress=$NET.1"
  start sshd-frontend /usr/sbin/sshd -D -e -f "$STATE/sshd_frontend"
  [ -z "$BARE" ] || return 0
  for i in $(seq "$NODES"); do
    start "sshd-node-$i" ip netns exec "virtuoar$i" unshare -u \
      sh -c "hostname $CLUSTER-$i; exec /usr/sbin/sshd -D -e -f $STATE/sshd_node"
  done
}

resources() {
  [ "$(sql 'select count(*) from resources')" = 0 ] || return 0
  say "resources: $NODES nodes, $SUBNETS subnets"
  { oarproperty -c -a host -a cluster -a subnet_address
    oarproperty -a core -a memnode -a slash_16 -a slash_17 -a slash_18 -a slash_19 -a slash_20 -a slash_21 -a slash_22 -a subnet_prefix; } \
    >"$STATE/oarproperty.log"
  local i c core=0 s host
  {
    echo "BEGIN;"
    for i in $(seq "$NODES"); do
      host=$(node_name "$i")
      for c in $(seq "$CORES"); do
        core=$((core + 1))
        echo "INSERT INTO resources (type,network_address,state,host,cluster,core,memnode,deploy,besteffort,cpuset)
              VALUES ('default','$host','Alive','$host','$CLUSTER',$core,131072,'YES','YES','$((c - 1))');"
      done
    done
    for s in $(seq "$SUBNETS"); do
      echo "INSERT INTO resources (type,network_address,state,deploy,besteffort,subnet_address,subnet_prefix,slash_22,slash_21,slash_20,slash_19,slash_18,slash_17,slash_16)
            VALUES ('subnet','','Alive','YES','NO','10.144.$(((s - 1) * 4)).0',22,$s,$(((s - 1) / 2 + 1)),$(((s - 1) / 4 + 1)),1,1,1,1);"
    done
    echo "INSERT INTO resource_logs (resource_id,attribute,value,date_start,finaud_decision)
          SELECT resource_id,'state','Alive',extract(epoch from now())::int,'NO' FROM resources;"
    echo "UPDATE resources SET desktop_computing='NO', state_num=1;"
    echo "COMMIT;"
  } | sql_file
  oaradmissionrules -n -P 16 -Y -r "$here/subnet-rule.pl" >"$STATE/rule.log" 2>&1
}

packages
database
configuration
network
accounts
wrapper
ssh_files
daemons
resources
server_up
say "ready: ssh -F $STATE/ssh_config frontend"
