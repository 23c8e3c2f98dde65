"""Ports for servers that a test starts: those of another test process are others."""

import os
from typing import Final

from spark_common.embedded import child

_FIRST: Final = 20_000
_EACH: Final = 1_500


def free_port() -> int:
    """Return a port for a server that listens some seconds later.

    Meanwhile no other worker of the run chooses it, and no embedded server does.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    first = _FIRST + worker * _EACH
    return child.free_port(range(first, first + _EACH))
