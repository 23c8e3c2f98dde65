#!/bin/sh
# Every ring. The last line is the test runner's own.
# Four files at a time on two cores: many tests wait for processes more than they compute.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder "$@"
