#!/bin/sh
# Usage: venv.sh DIRECTORY LOCK [MEMBER...]   Creates the environment from the hashed lock, members editable.
set -eu
venv=$1; lock=$2; shift 2
python=${PYTHON:-python3}

"$python" - <<'PY' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(f"spark-control needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. "
             "Install a newer one, or say which: make demo PYTHON=python3.12")
PY

if [ ! -x "$venv/bin/python" ]; then
  echo "creating $venv"
  "$python" -m venv "$venv" >/dev/null 2>&1 || {
    rm -rf "$venv"
    echo "cannot create a virtual environment: install the venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2
    exit 1
  }
fi

echo "installing from $lock (the first time takes a minute)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r "$lock"
[ $# -gt 0 ] || exit 0
set -- $(printf -- '-e ./%s ' "$@")
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation "$@"
