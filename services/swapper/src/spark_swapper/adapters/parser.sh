#!/bin/sh
# parser CONTAINER IMAGE ANEW DEEP [OPTION...] -- ARGUMENT...
# Runs the program on standard input inside the runtime's image with these arguments: in the
# container that is up, if it was made of exactly this image, or anew when ANEW is yes. Nothing
# written there stays; there is no network; DEEP yes lets it read the models, but not write them.
set -u
container=$1 image=$2 anew=$3 deep=$4
shift 4

if [ "$anew" = no ]; then
  wanted=$(timeout 8 docker image inspect --format '{{.Id}}' "$image" 2>/dev/null)
  running=$(timeout 8 docker inspect --format '{{.State.Running}} {{.Image}}' "$container" 2>/dev/null)
  if [ -n "$wanted" ] && [ "$running" = "true $wanted" ]; then
    while [ "$1" != -- ]; do shift; done
    shift
    exec docker exec -i "$container" python3 - "$@"
  fi
fi
# What follows the image is the command: so the options are moved behind it, one by one.
count=$#
seen=no
while [ "$count" -gt 0 ]; do
  word=$1
  shift
  count=$((count - 1))
  if [ "$seen" = no ] && [ "$word" = -- ]; then
    seen=yes
    set -- "$@" "$image" python3 -
  else
    set -- "$@" "$word"
  fi
done
if [ "$deep" = yes ]; then
  cache=${HF_HOME:-$HOME/.cache/huggingface}
  set -- -v "$cache:/root/.cache/huggingface:ro" -e HF_HUB_OFFLINE=1 -e SPARKCTL_DEEP=1 "$@"
fi
# Without a GPU in sight vLLM cannot tell its device and parses nothing.
exec docker run --rm -i --gpus all --network none --entrypoint= "$@"
