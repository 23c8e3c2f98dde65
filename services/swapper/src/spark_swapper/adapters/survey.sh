#!/bin/sh
# survey DIRECTORY IMAGE CONTAINER PORT MASTER_PORT MODEL
# Everything a launch on this Spark depends on, in one round trip: launch script, disk, image,
# memory, who holds it, who listens. One "key value" per line. Touches nothing. MASTER_PORT 0: the
# launch needs none; the checkout's own setting wins. MODEL: its directory, or its folder in the
# Hugging Face cache. docker is asked no more once it was silent.
set -u
directory=$1 image=$2 container=$3 port=$4 master=$5 model=$6
case $directory in /*) ;; *) directory=$HOME/$directory ;; esac

[ -x "$directory/launch-cluster.sh" ] && echo "script yes" || echo "script no"
echo "free $(df -Pk "$HOME" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"

case $model in
  /*) [ -d "$model" ] && echo "files yes" || echo "files none" ;;
  *)
    snapshots=${HF_HOME:-$HOME/.cache/huggingface}/hub/$model/snapshots
    if ! [ -r "$snapshots" ]; then
      [ -e "$snapshots" ] && echo "files unread" || echo "files none"
    elif [ -z "$(find "$snapshots" -mindepth 2 -name '*.*' -print -quit 2>/dev/null)" ]; then
      echo "files none"
    else
      # With -L only links that lead nowhere are still links.
      dead=$(find -L "$snapshots" -type l 2>/dev/null | wc -l)
      [ "$dead" -eq 0 ] && echo "files yes" || echo "files dead $dead"
    fi
    ;;
esac

if [ "$master" != 0 ]; then
  own=$(sed -n 's/^MASTER_PORT=[^0-9]*\([0-9]\{1,5\}\).*/\1/p' "$directory/.env" 2>/dev/null |
    tail -n 1)
  master=${own:-$master}
  echo "master $master"
fi
cat /proc/meminfo /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  awk -v port="$(printf '%04X' "$port")" -v master="$(printf '%04X' "$master")" '
    /^MemTotal:/ { total = $2 }
    /^MemAvailable:/ { available = $2 }
    $2 == "local_address" { listed = "yes" }
    $4 == "0A" {
      split($2, local, ":")
      if (local[2] == port) print "listen port", local[1], $8
      if (local[2] == master) print "listen master", local[1], $8
    }
    END { print "memory", available, total; print "ports", listed }'

# docker warns of its own settings among what it says, and of a daemon that is down it says that
# there is no such file: only its own words for a thing that is not there mean that it is not.
if said=$(timeout 6 docker image inspect --format '{{.Id}} {{.Created}}' "$image" 2>&1); then
  printf '%s\n' "$said" | sed -n 's/^sha256:/image &/p'
else
  case $? in 124) echo "docker no answer within 6 s" && exit 0 ;; esac
  case $said in
    *[Nn]"o such image"* | *[Nn]"o such object"*) echo "noimage" ;;
    *) echo "docker $(printf '%s' "$said" | tr '\n' ' ' | cut -c 1-200)" && exit 0 ;;
  esac
fi
if pids=$(timeout 6 docker top "$container" -eo pid,args 2>&1); then
  printf '%s\n' "$pids" | awk 'NR > 1 { print "process", $1, (tolower($0) ~ /vllm|ray::/ ? "vllm" : "-") }'
  echo "container running"
else
  case $pids in
    *[Nn]"o such container"* | *[Nn]"o such object"* | *"is not running"*) echo "container none" ;;
    *) echo "container unclear" ;;
  esac
fi
apps=$(timeout 6 nvidia-smi --query-compute-apps=pid,used_gpu_memory,process_name \
  --format=csv,noheader,nounits 2>/dev/null) && echo "gpu yes" || echo "gpu no"
printf '%s\n' "${apps:-}" | sed -n 's/^ *\([0-9][0-9]*\), */app \1 /p'
