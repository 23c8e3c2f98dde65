"""What a composition root hands over to be run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from spark_common.service.checks import ReadyCheck


async def _nothing_to_close() -> None:
    return


@dataclass(frozen=True)
class Service:
    """The parts of a running service."""

    name: str
    checks: Sequence[ReadyCheck] = ()
    routes: Sequence[BaseRoute] = ()
    """HTTP routes beside the health ones, answered before ``app``."""
    app: ASGIApp | None = None
    """A whole application for everything else; it renders its own errors."""
    http_protocol: str | type[asyncio.Protocol] = "httptools"
    """uvicorn's name of a protocol, or a protocol class, for connections from now on."""
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Loops that never return; one that does, or raises, ends the process with 1."""
    close: Callable[[], Awaitable[None]] = _nothing_to_close
    """Called last, after HTTP and the loops have ended; has ten seconds."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process was asked to end; long streams end themselves then."""
