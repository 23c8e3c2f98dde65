"""Logging as a service sets it up, for one test and no other."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from spark_common.logs import configure


@contextmanager
def logged(service: str, level: str = "info") -> Iterator[io.StringIO]:
    """Yield where the log of this process goes inside the block; afterwards all is as before."""
    told, root = io.StringIO(), logging.getLogger()
    handlers, number = root.handlers[:], root.level
    configure(service, level, told)
    try:
        yield told
    finally:
        root.handlers[:] = handlers
        root.setLevel(number)
        logging.captureWarnings(False)
        structlog.reset_defaults()
