#!/bin/sh
# Usage: pull-latest.sh [DIRECTORY] [x86_64|aarch64]
#
# Fetches the package of the newest release, checks it against SHA256SUMS and puts it into
# DIRECTORY; needs curl, python3 and sha256sum, and nothing else of the repository.
# GITEA_URL=https://..., GITEA_REPO=owner/name; GITEA_TOKEN, read-only, where the repository asks.
set -eu
directory=${1:-.}
arch=${2:-$(uname -m)}
: "${GITEA_URL:?is not set}" "${GITEA_REPO:?is not set}"
case $arch in
  x86_64 | aarch64) ;;
  amd64) arch=x86_64 ;;
  arm64) arch=aarch64 ;;
  *) echo "there is no package for $arch" >&2; exit 2 ;;
esac
case $GITEA_URL in
  https://* | http://127.0.0.1 | http://127.0.0.1[:/]* | http://localhost | http://localhost[:/]*) ;;
  *) echo "GITEA_URL must begin with https://" >&2; exit 2 ;;
esac
mkdir -p "$directory"
work=$(mktemp -d "$directory/.pull-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The token reaches curl over standard input: arguments can be read by everybody on the machine.
fetch() {
  { [ -z "${GITEA_TOKEN:-}" ] || printf 'header = "Authorization: token %s"\n' "$GITEA_TOKEN"; } |
    curl --config - --fail --silent --show-error --location --retry 2 --output "$2" "$1"
}
asset() {
  python3 -c '
import json, sys
from urllib.parse import urlsplit
url, name, kept = sys.argv[1:]
release = json.load(open(kept))
for one in release["assets"]:
    if one["name"] == name:
        if urlsplit(one["browser_download_url"])[:2] != urlsplit(url)[:2]:
            sys.exit("the release points to another server")
        print(one["browser_download_url"])
        break
else:
    sys.exit("the newest release, " + release["tag_name"] + ", has no " + name)
' "$GITEA_URL" "$1" "$work/release.json"
}

package=spark-control_$arch.s9pk
fetch "${GITEA_URL%/}/api/v1/repos/$GITEA_REPO/releases/latest" "$work/release.json"
sums=$(asset SHA256SUMS)
file=$(asset "$package")
fetch "$sums" "$work/SHA256SUMS"
grep -E "^[0-9a-f]{64} [ *]$package\$" "$work/SHA256SUMS" >"$work/sum" ||
  { echo "SHA256SUMS does not name $package" >&2; exit 1; }
wanted=$(cut -c1-64 "$work/sum")
if [ -e "$directory/$package" ] && [ "$(sha256sum <"$directory/$package" | cut -c1-64)" = "$wanted" ]; then
  echo "$directory/$package is the newest"
  exit 0
fi
fetch "$file" "$work/$package"
(cd "$work" && sha256sum --check --status sum) ||
  { echo "$package is not what SHA256SUMS says; nothing was changed" >&2; exit 1; }
mv "$work/$package" "$directory/$package"
echo "$directory/$package"
