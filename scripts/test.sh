#!/bin/sh
# Every ring, quick ones first. The last line is the test runner's own.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/pytest -n 2 --dist worksteal "$@"
