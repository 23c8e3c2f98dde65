"""Silence for commands: what went wrong is said once, in the command's own words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing but what ends a process inside the block."""
    before = structlog.get_config()
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing)
    try:
        yield
    finally:
        structlog.configure(**before)
