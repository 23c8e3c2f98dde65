#!/bin/sh
# The checks, then every ring. The last line is the test runner's own.
set -eu
cd "$(dirname "$0")/.."
# While the checks run: the environment of the one client that needs its own, and one look at every
# test file, so that not each worker has to rewrite them all.
make --no-print-directory litellm & litellm=$!
.venv/bin/pytest --collect-only -qq >/dev/null 2>&1 & looking=$!
trap 'kill $litellm $looking 2>/dev/null || true' EXIT
scripts/check.sh
wait $litellm
wait $looking || true
trap - EXIT
# Six files at a time on two cores: many tests wait for processes more than they compute.
exec .venv/bin/pytest -n 6 --dist loadfile --no-loadscope-reorder "$@"
