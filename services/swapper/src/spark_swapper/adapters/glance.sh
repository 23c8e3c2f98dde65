#!/bin/sh
# glance CONTAINER JOB STEP OFFSET LIMIT DEEP
# One look at one Spark: its memory in kB and boot id, the container, the processes of vLLM in it,
# the guarded launch script, the log of vLLM from byte OFFSET on, at most LIMIT bytes, and what the
# container read and computed.
# DEEP is 1 to ask the GPU too. One "key value" per line; logs are base64, because a log may hold
# any byte. Touches nothing, needs no root, never waits for docker for long.
set -u
container=$1 root=${SC_GUARD_DIR:-$HOME/.spark-control} offset=$4 limit=$5 deep=${6:-0}
base=$root/jobs/$2/$3

if [ -e "$base.exit" ]; then
  echo "launcher ended $(cat "$base.exit")"
elif [ -e "$base" ]; then
  echo "launcher running"
else
  echo "launcher none"
fi
[ -e "$base.log" ] && echo "output $(tail -c 4000 "$base.log" | base64 | tr -d '\n')"

# In the foreground vLLM writes where the launcher does, and that outlives the container.
if [ -e "$base.foreground" ] && [ "$limit" -gt 0 ]; then
  echo "log $(tail -c "+$((offset + 1))" "$base.log" | head -c "$limit" | base64 | tr -d '\n')"
fi

# A launcher that runs in the foreground stops its containers when it ends, by name: until it has
# ended, a new container of that name is not safe.
for note in "$root"/jobs/*/*.foreground; do
  [ -e "$note" ] || break
  [ -e "${note%.foreground}.exit" ] && continue
  read -r pid <"$note" || continue
  grep -q launch-cluster "/proc/$pid/cmdline" 2>/dev/null && echo "foreground $pid"
done

cat /proc/meminfo /proc/sys/kernel/random/boot_id 2>/dev/null | awk '
  /^MemTotal:/ { total = $2 }
  /^MemAvailable:/ { available = $2 }
  /^[0-9a-f-]+$/ { boot = $1 }
  END { print "memory", available, total; print "boot", boot }'

# docker warns of its own settings among what it says, and of a daemon that is down it says that
# there is no such file.
said=$(timeout 8 docker inspect --format '{{.State.Status}} {{.Id}}' "$container" 2>&1)
code=$?
state=$(printf '%s\n' "$said" | grep -E '^[a-z]+ [0-9a-f]+$' | tail -n 1)
if [ "$code" -ne 0 ] || [ -z "$state" ]; then
  case $said in
    *[Nn]"o such object"* | *[Nn]"o such container"*) echo "container missing" ;;
    *) echo "container unclear exit $code: $(printf '%s' "$said" | tr '\n' ' ' | cut -c 1-300)" ;;
  esac
  exit 0
fi
echo "container $state"
rows=$(timeout 8 docker top "$container" 2>/dev/null | tail -n +2)
echo "processes $(printf '%s\n' "$rows" | grep -c -i -e vllm -e 'ray::')"
[ "$limit" -gt 0 ] || exit 0
if [ ! -e "$base.foreground" ]; then
  echo "log $(timeout 8 docker logs "$container" 2>&1 | tail -c "+$((offset + 1))" |
    head -c "$limit" | base64 | tr -d '\n')"
fi

# vLLM runs as root in its container, so /proc/PID/io is closed to us; its control group is open.
for scope in /sys/fs/cgroup/system.slice/docker-${state#* }.scope /sys/fs/cgroup/docker/${state#* }; do
  stat=$(cat "$scope/cpu.stat" 2>/dev/null) || continue
  echo "cpu $(printf '%s\n' "$stat" | awk '$1 == "usage_usec" { print $2 }')"
  echo "oomkills $(cat "$scope/memory.events" 2>/dev/null | awk '$1 == "oom_kill" { print $2 }')"
  if stat=$(cat "$scope/io.stat" 2>/dev/null); then
    echo "read cgroup $(printf '%s\n' "$stat" | awk '
      { for (i = 2; i <= NF; i++) if ($i ~ /^rbytes=/) sum += substr($i, 8) }
      END { printf "%.0f", sum }')"
    found=1
  fi
  break
done
if [ -z "${found:-}" ] && stat=$(cat /proc/diskstats 2>/dev/null); then
  echo "read disk $(printf '%s\n' "$stat" | awk '
    $3 ~ /^(nvme[0-9]+n[0-9]+|[sv]d[a-z]+|mmcblk[0-9]+)$/ { sum += $6 }
    END { printf "%.0f", sum * 512 }')"
fi
[ "$deep" = 1 ] || exit 0
echo "gpu $(timeout 8 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null |
  head -n 1 | tr -d ' %')"
exit 0
