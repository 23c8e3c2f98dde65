# sh -c this install FOLDER IMAGE CONTAINER PORT: build in FOLDER, then start instead of what runs.
# Exit codes: 81 it was not built, 82 it did not start, 83 the name belongs to something else.
set -u
folder=$1 image=$2 container=$3 port=$4
mark() { echo "spark-control: $*"; }
cd "$HOME/$folder" || exit 81

used=$(docker inspect -f '{{.Config.Image}}' "$container" 2>/dev/null) || used=
case $used in
  "" | spark-embed:*) ;;
  *) echo "the container $container runs $used"; exit 83 ;;
esac

mark building
docker build -t "$image" . || exit 81

mark starting
docker rm -f "$container" >/dev/null 2>&1
mkdir -p "$HOME/.cache/spark-embed"
run() {
  docker run -d --name "$container" --restart unless-stopped --gpus all --ipc=host \
    -p "$port:8081" -v "$HOME/.cache/spark-embed:/models" "$1"
}
run "$image" && exit 0
docker rm -f "$container" >/dev/null 2>&1
[ -z "$used" ] || { echo "starting $used again"; run "$used"; }
exit 82
