#!/bin/bash
# Stops what up.sh started, by the process numbers it wrote down. The database and the packages stay for the next time;
#   down.sh [STATE] --purge
# drops the database, the namespaces' names and puts /etc/oar/oar.conf back.
set -u
here=$(cd "$(dirname "$0")" && pwd)
purge=
[ "${*: -1}" = --purge ] && { purge=yes; set -- "${@:1:$#-1}"; }
STATE=${1:-/var/tmp/virtu-lab/oar} DBPORT=${DBPORT:-5466}
. "$here/parts.sh"
[ -d "$STATE" ] || { say "nothing to stop"; exit 0; }

# Let OAR end its jobs, so that none of their processes stays behind.
ids=$(oarstat -J 2>/dev/null | sed -n 's/^   "\([0-9]*\)" : {.*/\1/p')
if [ -n "$ids" ] && alive almighty; then
  oardel $ids >/dev/null 2>&1
  for _ in $(seq 40); do [ -z "$(oarstat -J 2>/dev/null)" ] && break; sleep 0.5; done
fi
for file in "$STATE"/*.pid; do [ -e "$file" ] && stop "$(basename "$file" .pid)"; done
database_down
for space in $(ip netns list 2>/dev/null | awk '{print $1}' | grep -E '^virtuoar[0-9]+$'); do ip netns del "$space"; done
ip link del virtuoar0 2>/dev/null
grep -v '# virtu-lab-oar$' /etc/hosts >"$STATE/hosts" && cat "$STATE/hosts" >/etc/hosts
if [ -n "$purge" ]; then
  pg_dropcluster "$(cat "$STATE/pgversion")" virtulab
  [ -e "$STATE/oar.conf.before" ] && cat "$STATE/oar.conf.before" >/etc/oar/oar.conf
  rm -rf "$STATE"
fi
say down
