#!/bin/sh
# The tests of the bundle, in a mount and network namespace of their own: volumes are folders below
# /media, and health checks ask fixed ports. 77: this machine allows no namespace.
set -eu
cd "$(dirname "$0")"
inside='ip link set lo up && mount -t tmpfs tmpfs /media && exec node --test --test-concurrency=1 ./*.test.mjs'
unshare -rmn sh -c 'ip link set lo up && mount -t tmpfs tmpfs /media' 2>/dev/null || {
  echo "unshare cannot make a namespace with its own /media here" >&2
  exit 77
}
exec unshare -rmn sh -c "$inside"
