#!/bin/sh
# fetch REPO [OPTION...]
# Runs the download program of the hub in the classic layout of the cache, which every tool and a
# copy to another Spark understand. The first line of standard input is a token, or empty: then
# the program finds the one of this Spark's own user.
# exit: that of the program, 127 when there is none
set -u
repo=$1
PATH=$HOME/.local/bin:$PATH
IFS= read -r token || :
[ -z "$token" ] || export HF_TOKEN="$token"
export PATH HF_HUB_DISABLE_SHARED_BLOBS=1 HF_HUB_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1
if command -v uvx >/dev/null 2>&1; then
  uvx hf download "$@" </dev/null
elif command -v hf >/dev/null 2>&1; then
  hf download "$@" </dev/null
else
  echo 'neither uvx nor hf is installed' >&2
  exit 127
fi
code=$?
[ "$code" = 0 ] && [ -n "${SC_DETACHED:-}" ] || exit "$code"
# Partial files of runs that were killed before this one began: nobody goes on with them.
hub=${HF_HUB_CACHE:-${HF_HOME:-$HOME/.cache/huggingface}/hub}
folder=models--$(printf %s "$repo" | sed 's:/:--:')
find "$hub/$folder/blobs" -maxdepth 1 -name '*.incomplete' ! -newer "$SC_DETACHED" \
  -exec rm -f {} + 2>/dev/null
exit 0
