#!/bin/sh
# Usage: gitea-release.sh [--dry-run] [--artifacts DIRECTORY]
#
# Builds the packages, writes SHA256SUMS and SBOM, and publishes them as a release of a Gitea:
# GITEA_URL=https://..., GITEA_REPO=owner/name, and GITEA_TOKEN, which only the environment holds.
# --dry-run sends nothing and says what it would send; --artifacts takes packages that are built.
set -eu
cd "$(dirname "$0")/.."
artifacts= dry=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=--dry-run ;;
    --artifacts) artifacts=${2:?--artifacts needs a directory}; shift ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
if [ -z "$dry" ] && [ -n "$(git status --porcelain)" ]; then
  echo "there are changes that are not committed: a release is of a commit" >&2
  exit 1
fi
if [ -z "$artifacts" ]; then
  make s9pk
  artifacts=artifacts/release
  rm -rf "$artifacts" && mkdir -p "$artifacts"
  cp startos/*.s9pk "$artifacts/"
fi
ls "$artifacts"/*.s9pk >/dev/null 2>&1 || { echo "there is no .s9pk in $artifacts" >&2; exit 1; }
python3 scripts/sbom.py >"$artifacts/sbom.cdx.json"
(cd "$artifacts" && rm -f SHA256SUMS && LC_ALL=C sha256sum -- *.s9pk sbom.cdx.json >SHA256SUMS)
exec python3 scripts/gitea_publish.py $dry "$artifacts"
