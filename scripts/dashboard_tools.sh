#!/bin/sh
# Prints the folder of the dashboard's development tools (the type checker), which are kept in the
# user's cache and installed when they are missing there. 75: something is missing here, said in
# the last line.
set -eu
cd "$(dirname "$0")/../services/gateway"
place=${DASHBOARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spark-control/dashboard}
missing() { echo "$1" >&2; exit 75; }

command -v node >/dev/null && command -v npm >/dev/null || missing "node and npm are not installed"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "node is older than 20"

tools=$place/tools-$(cat package.json package-lock.json | sha256sum | cut -c1-16)
if [ ! -e "$tools/installed" ]; then
  mkdir -p "$place"
  # Whoever comes second finds it whole or not at all. Stalled downloads are given up.
  fresh=$(mktemp -d "$place/fresh-XXXXXX")
  cp package.json package-lock.json "$fresh/"
  timeout 300 npm ci --prefix "$fresh" --no-audit --no-fund --prefer-offline --ignore-scripts \
    --fetch-timeout=30000 >"$fresh.log" 2>&1 ||
    { tail -n 5 "$fresh.log" >&2; missing "npm could not install what services/gateway/package-lock.json names"; }
  touch "$fresh/installed"
  mv -T "$fresh" "$tools" 2>/dev/null || rm -rf "$fresh"
  rm -f "$fresh.log"
fi
echo "$tools/node_modules"
