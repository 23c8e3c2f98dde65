#!/bin/sh
# restore DIRECTORY COMMIT [TAG KEPT]...
# Brings back images by their kept names, and the branch to COMMIT (- to leave it). The branch is
# moved with --keep: files with local changes are never overwritten, and it stays on its upstream,
# so that the next update is a plain fast-forward again.
# exit: 0 done, 84 an image did not come back, 85 the checkout did not
directory=$1 commit=$2
shift 2
code=0
while [ $# -gt 1 ]; do
  docker tag "$2" "$1" 2>&1 || code=84
  shift 2
done
if [ "$commit" != - ]; then
  export GIT_TERMINAL_PROMPT=0 LC_ALL=C
  git -C "$directory" -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 \
    -c submodule.recurse=false reset --quiet --keep "$commit" -- 2>&1 || code=85
fi
exit "$code"
