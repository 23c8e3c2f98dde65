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
        plain_tracebacks()


def plain_tracebacks() -> None:
    """Lay out tracebacks without the values of all their frames.

    Where rich is installed structlog's default prints them, and a process stands still for
    seconds meanwhile.
    """
    structlog.configure(
        processors=[
            *structlog.get_config()["processors"][:-1],
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )
