#!/bin/sh
# recall [JOB]
# What the guard remembers on this Spark: "fence N", "epoch N" and one "step NAME" per started step of JOB.
set -u
root=${SC_GUARD_DIR:-$HOME/.spark-control}
fence=0 epoch=0
[ -e "$root/fence" ] && read -r fence epoch <"$root/fence"
echo "fence $fence"
echo "epoch $epoch"
[ -n "${1:-}" ] || exit 0
for marker in "$root/jobs/$1"/*; do
  case ${marker##*/} in
    *.* | '*') ;;
    *) echo "step ${marker##*/}" ;;
  esac
done
