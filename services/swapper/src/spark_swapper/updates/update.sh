#!/bin/sh
# update DIRECTORY COPY [TAG FLAG]...
# Moves the checkout forward and gets its images, with the checkout's own build script. COPY is 1
# to copy them to the other Sparks; FLAG is the script's option for that image, or - for none.
# exit: 0 done, 80 no directory, 81 not moved, 82 no build script, 83 no image
directory=$1 copy=$2
shift 2
cd "$directory" || exit 80
export GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=false SSH_ASKPASS=false LC_ALL=C
export GIT_SSH_COMMAND='ssh -o BatchMode=yes -o ConnectTimeout=10'
echo 'spark-control: moving the checkout forward'
calmly() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c merge.autoStash=false \
    -c submodule.recurse=false -c color.ui=false -c gc.auto=0 -c http.lowSpeedLimit=1000 \
    -c http.lowSpeedTime=60 "$@" </dev/null 2>&1
}
calmly fetch --no-tags || exit 81
# A pull would overwrite files that git ignores, and .env is one of them.
calmly merge --ff-only --no-overwrite-ignore '@{upstream}' || exit 81
git log -1 --format='spark-control: the checkout is at %H'
[ $# -gt 0 ] || exit 0
[ -x ./build-and-copy.sh ] || exit 82
while [ $# -gt 1 ]; do
  tag=$1 flag=$2
  shift 2
  if [ "$flag" != - ] && ! grep -q -e "$flag" build-and-copy.sh; then
    echo "spark-control: build-and-copy.sh has no $flag any more; $tag stays as it is"
    continue
  fi
  echo "spark-control: getting $tag"
  words=
  [ "$flag" = - ] || words=$flag
  [ "$tag" = vllm-node ] || [ "$flag" != - ] || words="-t $tag"
  if [ "$copy" = 1 ] && grep -q -e --copy-to build-and-copy.sh; then words="$words -c"; fi
  # shellcheck disable=SC2086
  ./build-and-copy.sh $words </dev/null 2>&1 || exit 83
done
