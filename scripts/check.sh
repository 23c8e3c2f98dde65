#!/bin/sh
# Lint, format, types, spelling and generated files. Stops at the first thing that is wrong.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/codespell
scripts/dashboard_types.sh
$bin/python -m spark_common.schemas --check docs/events
