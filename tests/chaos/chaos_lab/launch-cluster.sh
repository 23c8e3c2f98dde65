#!/bin/sh
# Stand-in for the launcher of a Spark: the one container is a file, and every effect is a line
# of the journal, on disk before it takes place. Whose order it is tells the log that standard
# output goes to: .../jobs/SWAP/STEP.log
# By these words the swapper tells of which time a launcher is; this one is of September 2026:
# "Command dispatched in background", %q, --solo), --volume), --env), --apply-mod)
# shellcheck disable=SC2034
NO_RAY_MODE="true"
set -eu
order=$(readlink "/proc/$$/fd/1")
step=${order##*/} swap=${order%/*}
for last; do :; done
effect=launch
if [ "$last" = stop ]; then
  effect=stop
else
  set -- "$HOME"/../*/container
  [ ! -e "$1" ] || effect=collision
fi
echo "$effect ${swap##*/} ${step%.log} ${HOME##*/} $last" >>"$HOME/../../journal"
sync "$HOME/../../journal"
case $effect in
  stop) rm -f "$HOME/container" ;;
  launch) echo "$last" >"$HOME/container.new" && mv "$HOME/container.new" "$HOME/container" ;;
  *) echo 'docker: the name is already in use' && exit 125 ;;
esac
