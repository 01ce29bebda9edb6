# What up.sh, down.sh and server.sh share. Needs STATE and the settings of up.sh.

say() { printf 'oar lab: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }
node_name() { echo "$CLUSTER-$1.$DOMAIN"; }
sql() { PGPASSWORD=oar psql -qAt -h 127.0.0.1 -p "$DBPORT" -U oar oar -c "$1"; }
sql_file() { PGPASSWORD=oar psql -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$DBPORT" -U oar oar; }

# A process is ours when its number and its start time are those that were written down.
started_at() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }
alive() {
  local pid begun
  [ -e "$STATE/$1.pid" ] || return 1
  read -r pid begun <"$STATE/$1.pid"
  [ -n "$begun" ] && [ "$(started_at "$pid")" = "$begun" ]
}
start() {
  local name=$1 pid
  shift
  alive "$name" && return 0
  setsid "$@" >"$STATE/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$STATE/$name.pid"
}
# Ends a process of ours with everything it started.
stop() {
  local pid all p
  alive "$1" || { rm -f "$STATE/$1.pid"; return 0; }
  read -r pid _ <"$STATE/$1.pid"
  all=$(tree "$pid")
  kill $all 2>/dev/null || true
  for p in $(seq 50); do alive "$1" || break; sleep 0.1; done
  for p in $all; do kill -9 "$p" 2>/dev/null || true; done
  rm -f "$STATE/$1.pid"
}
tree() {
  local child
  for child in $(ps -o pid= --ppid "$1" 2>/dev/null); do tree "$child"; done
  echo "$1"
}
wait_port() {
  local try
  for try in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0; sleep 0.1; done
  fail "nothing listens on port $1"
}

database_up() {
  local version; version=$(cat "$STATE/pgversion")
  pg_lsclusters -h "$version" virtulab | grep -q online || pg_ctlcluster --skip-systemctl-redirect "$version" virtulab start
  wait_port "$DBPORT"
}
database_down() { pg_ctlcluster --skip-systemctl-redirect "$(cat "$STATE/pgversion")" virtulab stop -m fast 2>/dev/null || true; }
server_up() { start almighty /usr/sbin/Almighty; wait_port 6666; }
server_down() { stop almighty; }
