#!/bin/sh
# The StartOS package as far as it can be proven without a StartOS box: types, lint and bundle, then
# the unit tests of the bundle. Tools, and the bundle of sources that have not changed since, are
# kept in the user's cache. 75: something is missing here, said in the last line.
set -eu
cd "$(dirname "$0")/../startos"
place=${STARTOS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spark-control/startos}
missing() { echo "$1" >&2; exit 75; }

command -v node >/dev/null && command -v npm >/dev/null || missing "node and npm are not installed"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "node is older than 20"

tools=$place/tools-$(cat package.json package-lock.json | sha256sum | cut -c1-16)
if [ ! -e "$tools/installed" ]; then
  # Stalled downloads are given up: without this npm waits for one for ever.
  rm -rf "$tools" && mkdir -p "$tools"
  cp package.json package-lock.json "$tools/"
  timeout 300 npm ci --prefix "$tools" --no-audit --no-fund --prefer-offline --ignore-scripts \
    --fetch-timeout=30000 >"$tools.log" 2>&1 ||
    { tail -n 5 "$tools.log" >&2; missing "npm could not install what startos/package-lock.json names"; }
  touch "$tools/installed"
fi
[ -e node_modules ] && [ ! -L node_modules ] || ln -sfn "$tools/node_modules" node_modules

sources=$(find startos package-lock.json tsconfig.json -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16)
bundle=$place/bundle-$sources.js
if [ ! -e "$bundle" ]; then
  npm run --silent check
  node node_modules/@start9labs/start-sdk/lint.mjs
  npm run --silent build
  cp javascript/index.js "$bundle.$$" && mv "$bundle.$$" "$bundle"
fi
mkdir -p javascript
cmp -s "$bundle" javascript/index.js || cp "$bundle" javascript/index.js
sh test/run.sh || { code=$?; [ "$code" -ne 77 ] || exit 75; exit "$code"; }
