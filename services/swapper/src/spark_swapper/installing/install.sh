# sh -c this install FOLDER IMAGE CONTAINER PORT: build in FOLDER, then start instead of what runs.
# sh -c this back FOLDER IMAGE CONTAINER PORT: start again what ran before that, if anything did.
# Exit codes: 81 it was not built, 82 it did not start, 83 the name belongs to something else,
# 84 nothing ran before.
set -u
mode=$0 folder=$1 image=$2 container=$3 port=$4
before="$HOME/$folder.before"
mark() { echo "spark-control: $*"; }
run() {
  docker rm -f "$container" >/dev/null 2>&1
  docker run -d --name "$container" --restart unless-stopped --gpus all --ipc=host \
    -p "$port:8081" -v "$HOME/.cache/spark-embed:/models" "$1"
}

if [ "$mode" = back ]; then
  used=$(cat "$before" 2>/dev/null) || used=
  [ -n "$used" ] && [ "$used" != "$image" ] || exit 84
  run "$used" || exit 82
  exit 0
fi

cd "$HOME/$folder" || exit 81
used=$(docker inspect -f '{{.Config.Image}}' "$container" 2>/dev/null) || used=
case $used in
  "" | spark-embed:*) ;;
  *) echo "the container $container runs $used"; exit 83 ;;
esac
echo "$used" >"$before"

mark building
docker build -t "$image" . || exit 81

mark starting
mkdir -p "$HOME/.cache/spark-embed"
run "$image" && exit 0
docker rm -f "$container" >/dev/null 2>&1
[ -z "$used" ] || { echo "starting $used again"; run "$used"; }
exit 82
