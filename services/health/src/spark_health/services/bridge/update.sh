# sh -c this update DIRECTORY CONTAINER SETTLE: the newest commit of a checkout, built and started.
# Lines that begin with "spark-control: " are for the one who reads this, all others for people.
# Exit codes: 71 no checkout there, 72 files were changed by hand, 73 upstream cannot be reached,
# 74 it went another way than upstream, 75 nothing says how to start it, 76 the build failed,
# 77 it could not be started, 78 it does not stay up.
directory=$1 container=$2 settle=$3
export GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND="ssh -o BatchMode=yes -o ConnectTimeout=15"
say() { echo "spark-control: $*"; }

case $directory in /*) ;; *) directory=$HOME/$directory ;; esac
cd -- "$directory" 2>/dev/null || exit 71
before=$(git rev-parse --verify -q HEAD) || exit 71
say "before $before"
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  git status --short --untracked-files=no
  exit 72
fi
git fetch --prune 2>&1 || exit 73
git merge --ff-only '@{upstream}' 2>&1 || exit 74
say "after $(git rev-parse HEAD)"
git log --oneline --no-decorate -n 20 "$before..HEAD"

compose=
for file in compose.yaml compose.yml docker-compose.yaml docker-compose.yml; do
  [ ! -f "$file" ] || compose=$file
done
if [ -x ./update.sh ]; then
  say building
  ./update.sh 2>&1 || exit 76
elif [ -n "$compose" ]; then
  say building
  docker compose --ansi never build 2>&1 || exit 76
  say starting
  docker compose --ansi never up -d 2>&1 || exit 77
else
  exit 75
fi

say checking
look() {
  timeout -k 2 8 docker inspect --type container \
    -f '{{.State.Status}} {{.RestartCount}} {{.State.StartedAt}}' -- "$container" 2>&1
}
first=$(look)
sleep "$settle"
last=$(look)
case $last in
  "running "*) [ "$first" = "$last" ] || { echo "$last"; exit 78; } ;;
  *) echo "$last"; exit 78 ;;
esac
