#!/bin/sh
# launcher DIRECTORY STAMP
# What launch-cluster.sh in the checkout can do, found by what stands in it: "stamp S",
# then "same" when S is STAMP, else "committed DATE", "node IP" and one "has FEATURE" per feature.
# Touches nothing.
set -u
cd "$1" 2>/dev/null && [ -r launch-cluster.sh ] || { echo "absent"; exit 0; }
commit=$(git log -1 --format='%H %cI' 2>/dev/null) || commit='- -'
stamp=${commit%% *}:$(stat -c %Y:%s launch-cluster.sh 2>/dev/null)
echo "stamp $stamp"
[ "$stamp" = "$2" ] && { echo "same"; exit 0; }
echo "committed ${commit#* }"

has() {
  grep -q -e "$2" launch-cluster.sh && echo "has $1"
}
# At the beginning of a line it is the default; in between it was an option that nobody gave. Taken
# for Ray by mistake, a launcher without it takes the flag for Ray away again.
has noray '^NO_RAY_MODE="true"'
has daemon_exec 'Command dispatched in background'
has quotes '%q'
has solo '--solo)'
has volume '--volume)'
has env '--env)'
has mods '--apply-mod)'

from_env() {
  sed -n "s/^$1=//p" .env 2>/dev/null | tr -d "\"'" | head -n 1 | cut -d , -f 1
}
node=$(from_env LOCAL_IP)
[ -n "$node" ] || node=$(from_env CLUSTER_NODES)
[ -n "$node" ] || node=$(hostname -I 2>/dev/null | cut -d ' ' -f 1)
echo "node $node"
exit 0
