#!/bin/bash
# Stops or starts the lab's OAR server or its database alone: server.sh (server|database) (down|up) [STATE]
set -eu
STATE=${3:-/var/tmp/virtu-lab/oar} DBPORT=${DBPORT:-5466}
. "$(cd "$(dirname "$0")" && pwd)/parts.sh"
"$1_$2"
