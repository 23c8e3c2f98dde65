#!/bin/sh
# keep TAG KEPT [TAG KEPT]...
# Gives images another name, under which they stay when TAG comes to mean a newer one. A name that
# is taken stays as it is: this may be run again after the newer image came.
# exit: 0 done, 84 an image could not be named
while [ $# -gt 1 ]; do
  if ! docker image inspect --format '{{.Id}}' "$2" >/dev/null 2>&1; then
    docker tag "$1" "$2" 2>&1 || exit 84
  fi
  shift 2
done
