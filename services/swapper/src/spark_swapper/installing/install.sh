# sh -c this install FOLDER IMAGE CONTAINER PORT: build in FOLDER, then start instead of what runs.
# sh -c this back FOLDER IMAGE CONTAINER PORT: start again what ran before that, if anything did.
# sh -c this settle FOLDER IMAGE CONTAINER PORT: the same, where an end in between left nothing.
# Exit codes: 81 it was not built, 82 it did not start, 83 the name belongs to something else,
# 84 there is nothing to start again, 85 too little disk, 86 too little memory.
set -u
mode=$0 folder=$1 image=$2 container=$3 port=$4
before="$HOME/$folder.before"
build_kb=26000000 start_kb=11000000
mark() { echo "spark-control: $*"; }
run() {
  docker rm -f "$container" >/dev/null 2>&1
  docker run -d --name "$container" --restart unless-stopped --gpus all --ipc=host \
    -p "$port:8081" -v "$HOME/.cache/spark-embed:/models" "$1"
}
image_of() { docker inspect -f '{{.Config.Image}}' "$container" 2>/dev/null; }
gb() { echo "$(($1 / 1000000)) GB"; }

if [ "$mode" != install ]; then
  used=$(cat "$before" 2>/dev/null) || used=
  [ -n "$used" ] || exit 84
  now=$(image_of) || now=
  [ -z "$now" ] || { [ "$mode" = back ] && [ "$used" != "$image" ]; } || exit 84
  run "$used" || exit 82
  exit 0
fi

cd "$HOME/$folder" || exit 81
used=$(image_of) || used=
case $used in
  "" | spark-embed:*) ;;
  *) echo "the container $container runs $used"; exit 83 ;;
esac

# What is known too late costs half an hour, or the model beside it.
base=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
if ! docker image inspect "$base" >/dev/null 2>&1; then
  place=$(docker info -f '{{.DockerRootDir}}' 2>/dev/null) && [ -d "$place" ] || place=$HOME
  free=$(df -P -k "$place" 2>/dev/null | tail -n 1 | awk '{ print $4 }')
  if [ "${free:-$build_kb}" -lt "$build_kb" ]; then
    echo "the image needs $(gb $build_kb), free are $(gb "$free")"; exit 85
  fi
fi
room() {
  # What is replaced makes room itself.
  [ -z "$used" ] || return 0
  left=$(cat /proc/meminfo 2>/dev/null | awk '$1 == "MemAvailable:" { print $2 }')
  [ "${left:-$start_kb}" -ge "$start_kb" ] && return 0
  echo "it needs $(gb $start_kb) of memory, available are $(gb "$left")"
  return 1
}
room || exit 86
echo "$used" >"$before"

mark building
docker build -t "$image" . || exit 81

mark starting
room || exit 86
mkdir -p "$HOME/.cache/spark-embed"
run "$image" && exit 0
docker rm -f "$container" >/dev/null 2>&1
[ -z "$used" ] || { echo "starting $used again"; run "$used"; }
exit 82
