#!/bin/sh
# glance CONTAINER JOB STEP OFFSET LIMIT
# One look at one Spark: its memory in kB and boot id, the container, the processes of vLLM in it,
# the guarded launch script and the container's log from byte OFFSET on, at most LIMIT bytes. One
# "key value" per line; logs are base64, because a log may hold any byte. Touches nothing, never
# waits for docker for long.
set -u
container=$1 base=${SC_GUARD_DIR:-$HOME/.spark-control}/jobs/$2/$3 offset=$4 limit=$5

if [ -e "$base.exit" ]; then
  echo "launcher ended $(cat "$base.exit")"
elif [ -e "$base" ]; then
  echo "launcher running"
else
  echo "launcher none"
fi
[ -e "$base.log" ] && echo "output $(tail -c 4000 "$base.log" | base64 | tr -d '\n')"

cat /proc/meminfo /proc/sys/kernel/random/boot_id 2>/dev/null | awk '
  /^MemTotal:/ { total = $2 }
  /^MemAvailable:/ { available = $2 }
  /^SwapFree:/ { swap = $2 }
  /^[0-9a-f-]+$/ { boot = $1 }
  END { print "memory", available, swap, total; print "boot", boot }'

if state=$(timeout 8 docker inspect --format '{{.State.Status}} {{.Id}}' "$container" 2>&1); then
  echo "container $state"
else
  code=$?
  case $state in
    *[Nn]"o such "*) echo "container missing" ;;
    *) echo "container unclear exit $code: $(printf '%s' "$state" | tr '\n' ' ' | cut -c 1-300)" ;;
  esac
  exit 0
fi
echo "processes $(timeout 8 docker top "$container" 2>/dev/null | tail -n +2 | grep -c -i vllm)"
[ "$limit" -gt 0 ] || exit 0
echo "log $(timeout 8 docker logs "$container" 2>&1 | tail -c "+$((offset + 1))" |
  head -c "$limit" | base64 | tr -d '\n')"
