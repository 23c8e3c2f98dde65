#!/bin/sh
# The types of the dashboard's JavaScript. Where node or its packages are missing this says so and
# is no failure: the page itself needs neither.
set -eu
cd "$(dirname "$0")/.."
tools=$(scripts/dashboard_tools.sh) || { code=$?; [ "$code" -eq 75 ] && exit 0; exit "$code"; }
exec node "$tools/typescript/bin/tsc" --project services/gateway/jsconfig.json
