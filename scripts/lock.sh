#!/bin/sh
# Resolve requirements*.in for every platform into locks with hashes and without download addresses.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "install uv first: pip install uv" >&2; exit 1; }
for name in requirements requirements-dev requirements-litellm requirements-audit requirements-mutation; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header "$name.in" -o "$name.lock"
done
