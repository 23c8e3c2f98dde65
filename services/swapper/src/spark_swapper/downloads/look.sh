#!/bin/sh
# look REPO_FOLDER CHECKOUT
# One look at one Spark before and during a download, one "key value" per line. Touches nothing.
# Bytes are those of the blobs, behind links into the shared store too; what rsync has not
# finished lies in a folder below them.
set -u
folder=$1 checkout=$2
hub=${HF_HUB_CACHE:-${HF_HOME:-$HOME/.cache/huggingface}/hub}
echo "hub $hub"
find -L "$hub/$folder/blobs" -maxdepth 2 -type f -printf '%s %P\n' 2>/dev/null |
  awk '{ if ($2 ~ /\.incomplete$/ || $2 ~ /^\./) partial += $1; else whole += $1 }
    END { printf "whole %.0f\npartial %.0f\n", whole, partial }'
place=$hub
while [ ! -e "$place" ] && [ "$place" != / ]; do place=$(dirname "$place"); done
free=$(df -P -B1 "$place" 2>/dev/null | tail -n 1 | awk '{ print $4 }')
echo "free ${free:-}"
[ -n "$checkout" ] || exit 0

PATH=$HOME/.local/bin:$PATH
for program in uvx hf rsync; do
  command -v "$program" >/dev/null 2>&1 && echo "has $program"
done
echo "name $(hostname)"
for key in CLUSTER_NODES COPY_HOSTS; do
  sed -n "s/^$key=[\"']\{0,1\}\([A-Za-z0-9.:,_-]*\).*/$key \1/p" "$checkout/.env" 2>/dev/null |
    tail -n 1
done
exit 0
