#!/bin/sh
# guard FENCE EPOCH JOB STEP -- COMMAND...
# Runs on the Spark, where the effect is: refuses whoever is out of date, and starts each step of
# a job at most once, detached, with its log and exit code in files.
# stdout: LAUNCHED, ALREADY or STALE fence|epoch given=N stored=N
# exit: 0 launched now or before, 64 not an order, 75 busy, 76 stale
set -u
umask 077
# A lost SSH session must not end the guard between its steps. Caught, not ignored: an ignored
# signal would stay ignored in the command.
trap : HUP PIPE

refuse() {
  echo "guard: $1" >&2
  exit 64
}
number() {
  case $2 in '' | *[!0-9]* | ????????????????*) refuse "$1 is not a number" ;; esac
}
name() {
  case $2 in '' | -* | *[!A-Za-z0-9_-]*) refuse "$1 is not a name" ;; esac
}

[ $# -ge 6 ] && [ "$5" = -- ] || refuse 'usage: guard FENCE EPOCH JOB STEP -- COMMAND...'
fence=$1 epoch=$2 job=$3 step=$4
shift 5
number FENCE "$fence"
number EPOCH "$epoch"
name JOB "$job"
name STEP "$step"

root=${SC_GUARD_DIR:-$HOME/.spark-control}
mkdir -p "$root/jobs" || exit 75
exec 9>"$root/lock" || exit 75
flock -w 10 9 || exit 75

stored_fence=0 stored_epoch=0
[ -e "$root/fence" ] && read -r stored_fence stored_epoch <"$root/fence"
if [ "$fence" -lt "$stored_fence" ]; then
  echo "STALE fence given=$fence stored=$stored_fence"
  exit 76
fi
if [ "$epoch" -lt "$stored_epoch" ]; then
  echo "STALE epoch given=$epoch stored=$stored_epoch"
  exit 76
fi
if [ "$fence $epoch" != "$stored_fence $stored_epoch" ]; then
  echo "$fence $epoch" >"$root/fence.tmp" && sync "$root/fence.tmp" &&
    mv "$root/fence.tmp" "$root/fence" && sync "$root" || exit 75
fi

base=$root/jobs/$job/$step
if [ -e "$base" ]; then
  echo ALREADY
  exit 0
fi
find "$root/jobs" -mindepth 1 -maxdepth 1 -mtime +90 -exec rm -rf {} + 2>/dev/null
mkdir -p "$root/jobs/$job" || exit 75

# The child writes the marker before it acts, and holds the lock until it has: killed at any
# point, the step is either unmarked and never ran, or marked and never runs again.
# shellcheck disable=SC2016
setsid sh -c '
  base=$1 note=$2
  shift 2
  echo "$note $$" >"$base.tmp" && sync "$base.tmp" && mv "$base.tmp" "$base" || exit 75
  exec 9>&-
  SC_STEP=$base
  export SC_STEP
  "$@"
  echo $? >"$base.exit.tmp" && mv "$base.exit.tmp" "$base.exit"
' guard "$base" "$fence $epoch $(date +%s)" "$@" </dev/null >"$base.log" 2>&1 &
tries=0
until [ -e "$base" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 1000 ] || exit 75
  sleep 0.01
done
echo LAUNCHED
