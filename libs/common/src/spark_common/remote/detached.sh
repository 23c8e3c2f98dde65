#!/bin/sh
# detached start JOB STEP -- COMMAND...
# detached poll JOB STEP OFFSET LIMIT [COMMAND...]
# detached stop JOB STEP GRACE_SECONDS
# Long work on a Spark that needs nobody to stay: each step of a job is started at most once, in a
# session of its own, with log and exit code in files. Standard input is handed to the command
# through a pipe; it is in no file and no argument list.
# stdout: start: LAUNCHED or ALREADY; poll: "key value" lines; stop: STOPPED, ENDED or NEVER
# exit: 0 done, 64 not an order, 75 busy
set -u
umask 077
# A lost SSH session must not end this between its steps. Caught, not ignored: an ignored signal
# would stay ignored in the command.
trap : HUP PIPE

refuse() {
  echo "detached: $1" >&2
  exit 64
}
name() {
  case $2 in '' | -* | *[!A-Za-z0-9_-]*) refuse "$1 is not a name" ;; esac
}
number() {
  case $2 in '' | *[!0-9]* | ????????????????*) refuse "$1 is not a number" ;; esac
}
lock() {
  mkdir -p "$root/jobs" || exit 75
  exec 9>"$root/jobs.lock" || exit 75
  flock -w 10 9 || exit 75
}
# Every process of the step inherits its mark, so that a number which the kernel gave to another
# process meanwhile is never taken for ours.
living() {
  grep -lzxF -e "SC_DETACHED=$base" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}
lives() {
  read -r leader 2>/dev/null <"$base.pid" &&
    grep -qzxF -e "SC_DETACHED=$base" "/proc/$leader/environ" 2>/dev/null || [ -n "$(living)" ]
}
signal() {
  for process in $(living); do
    [ "$process" = "$$" ] || kill "-$1" "$process" 2>/dev/null
  done
}
# A file without a number is what a power cut left of it.
exited() {
  code=
  read -r code 2>/dev/null <"$base.exit"
  case $code in '' | *[!0-9]*) return 1 ;; esac
}
ended() {
  echo "$1" >"$base.exit.tmp" && mv "$base.exit.tmp" "$base.exit"
}

[ $# -ge 3 ] || refuse 'usage: detached start|poll|stop JOB STEP ...'
verb=$1 job=$2 step=$3
shift 3
name JOB "$job"
name STEP "$step"
root=$HOME/.spark-control
base=$root/jobs/$job/$step

start() {
  [ $# -ge 2 ] && [ "$1" = -- ] || refuse 'usage: detached start JOB STEP -- COMMAND...'
  shift
  # The last character keeps line ends that $() would drop.
  input=$(cat && echo x) || exit 75
  lock
  if [ -e "$base" ]; then
    echo ALREADY
    return
  fi
  find "$root/jobs" -mindepth 1 -maxdepth 1 -mtime +90 -exec rm -rf {} + 2>/dev/null
  mkdir -p "$root/jobs/$job" || exit 75
  # The child writes the marker before it acts, and holds the lock until it has: killed at any
  # point, the step is either unmarked and never ran, or marked and never runs again.
  # TERM is caught so that the exit code is written when all others were ended by it.
  # shellcheck disable=SC2016
  printf %s "${input%x}" 2>/dev/null | SC_DETACHED=$base setsid sh -c '
    base=$1
    shift
    trap : TERM
    echo $$ >"$base.pid" && date +%s >"$base.tmp" && sync "$base.tmp" && mv "$base.tmp" "$base" ||
      exit 75
    exec 9>&-
    "$@"
    echo $? >"$base.exit.tmp" && mv "$base.exit.tmp" "$base.exit"
  ' detached "$base" "$@" >"$base.log" 2>&1 &
  tries=0
  until [ -e "$base" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 1000 ] || exit 75
    sleep 0.01
  done
  echo LAUNCHED
}

poll() {
  [ $# -ge 2 ] || refuse 'usage: detached poll JOB STEP OFFSET LIMIT [COMMAND...]'
  offset=$1 limit=$2
  shift 2
  number OFFSET "$offset"
  number LIMIT "$limit"
  if [ ! -e "$base" ]; then
    echo 'state none'
  elif exited; then
    echo "state ended $code"
  elif lives; then
    echo 'state running'
  elif exited; then
    echo "state ended $code"
  else
    echo 'state lost'
  fi
  if [ -e "$base.log" ] && [ "$limit" -gt 0 ]; then
    echo "log $(tail -c "+$((offset + 1))" "$base.log" | head -c "$limit" | base64 | tr -d '\n')"
  fi
  [ $# -gt 0 ] || return 0
  also=$(timeout 20 "$@" 2>/dev/null </dev/null)
  echo "also $? $(printf %s "$also" | base64 | tr -d '\n')"
}

stop() {
  [ $# -eq 1 ] || refuse 'usage: detached stop JOB STEP GRACE_SECONDS'
  number GRACE_SECONDS "$1"
  lock
  if [ ! -e "$base" ]; then
    # A start that is still on its way finds the step taken.
    mkdir -p "$root/jobs/$job" && ended 143 && date +%s >"$base.tmp" && mv "$base.tmp" "$base" ||
      exit 75
    echo NEVER
    return
  fi
  exec 9>&-
  said=ENDED tries=0
  while [ -n "$(living)" ]; do
    said=STOPPED
    [ "$tries" -gt 0 ] || signal TERM
    [ "$tries" -lt $(($1 * 10)) ] || signal KILL
    [ "$tries" -lt $(($1 * 10 + 100)) ] || exit 75
    tries=$((tries + 1))
    sleep 0.1
  done
  exited || ended 137
  echo "$said"
}

case $verb in
  start) start "$@" ;;
  poll) poll "$@" ;;
  stop) stop "$@" ;;
  *) refuse 'the verbs are start, poll and stop' ;;
esac
