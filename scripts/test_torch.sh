#!/bin/sh
# What only PyTorch can prove of the embedding container, with Debian trixie's, built for the CPU:
# the same lock, installed as the Dockerfile does it. As root, on a Debian; the folder is kept.
# 75: there is no PyTorch to be had here.
set -eu
cd "$(dirname "$0")/.."
place=${TORCH_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/spark-control/trixie-torch}
root=$place/root
inside() { chroot "$root" env -u PIP_FIND_LINKS HOME=/root PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$@"; }

if [ ! -e "$place/based" ]; then
  command -v debootstrap >/dev/null || {
    apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null || exit 75
  }
  rm -rf "$place"
  mkdir -p "$place"
  debootstrap --variant=minbase --include=ca-certificates,python3-torch,python3-pip,python3-pytest \
    trixie "$root" >"$place/debootstrap.log" 2>&1 || { tail -n 20 "$place/debootstrap.log"; exit 75; }
  inside apt-get clean
  touch "$place/based"
fi

rm -rf "$root/app"
cp -r cluster/spark-embed "$root/app"
if ! cmp -s cluster/spark-embed/requirements.lock "$place/installed.lock"; then
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  rm -rf "$root/opt/site"
  inside python3 /app/held.py write /tmp/held.txt
  inside python3 -m pip install -q --root-user-action=ignore --no-cache-dir --no-deps --require-hashes --target /opt/site \
    -r /app/requirements.lock || exit 75
  cp cluster/spark-embed/requirements.lock "$place/installed.lock"
fi
export PYTHONPATH=/app/src:/opt/site HF_HUB_OFFLINE=1
inside python3 /app/held.py check /tmp/held.txt
# -c: none of the options of this repository, whose plugins are not there.
inside python3 -m pytest -q -rs -c /dev/null -p no:cacheprovider /app/tests/test_spark_embed_torch.py
