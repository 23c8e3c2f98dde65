#!/bin/sh
# flush CONTAINER IMAGE FOLDER
# Empties the page cache of this Spark without sudo: in the runtime's container if it may, else in
# a privileged one of the same image, else file by file, as the owner of the model FOLDER.
# stdout: one line that says what worked; exit 1 when nothing did.
set -u
container=$1 image=$2 folder=$3
empty='sync; echo 3 > /proc/sys/vm/drop_caches'

if timeout 60 docker exec "$container" sh -c "$empty" 2>/dev/null; then
  echo 'flushed: in the running container'
  exit 0
fi
if timeout 90 docker run --rm --privileged --network none --entrypoint= "$image" \
  sh -c "$empty" 2>/dev/null; then
  echo 'flushed: in a container of its own'
  exit 0
fi
case $folder in /*) ;; *) folder=$HOME/$folder ;; esac
timeout 60 python3 - "$folder" <<'END'
import os, sys
count = 0
for at, _, names in os.walk(sys.argv[1]):
    for name in names:
        try:
            handle = os.open(os.path.join(at, name), os.O_RDONLY)
        except OSError:
            continue
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            count += 1
        except OSError:
            pass
        finally:
            os.close(handle)
print("flushed: %d model files" % count if count else "not flushed: nothing may be done here")
sys.exit(0 if count else 1)
END
