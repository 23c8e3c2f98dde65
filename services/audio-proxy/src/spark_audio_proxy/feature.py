"""What one part of audio-proxy brings to the whole; ``app.py`` composes them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from spark_common.bus.port import Serving
from spark_common.service import ReadyCheck


@dataclass(frozen=True)
class Feature:
    """A part that can be left out by deleting its one line in ``app.py``."""

    routers: Sequence[APIRouter] = ()
    """HTTP routes, with their whole paths."""
    verbs: Sequence[Serving] = ()
    checks: Sequence[ReadyCheck] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Loops that never return."""
    close: Callable[[], Awaitable[None]] | None = None
