#!/bin/sh
# Usage: set-version.sh X.Y.Z   Writes the version everywhere: VERSION is the place, the rest copies.
set -eu
cd "$(dirname "$0")/.."
version=${1:?usage: set-version.sh X.Y.Z}
printf '%s\n' "$version" | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+$' || { echo "$version is not X.Y.Z" >&2; exit 1; }
printf '%s\n' "$version" >VERSION
sed -i -E "s/^version = \"[^\"]*\"/version = \"$version\"/" libs/*/pyproject.toml services/*/pyproject.toml
sed -i -E "s/version: '[0-9.]+:[0-9]+'/version: '$version:0'/" startos/startos/versions/current.ts
