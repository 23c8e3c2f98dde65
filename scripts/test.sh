#!/bin/sh
# Every ring. The last line is the test runner's own.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
