"""What the routes need, handed to the application as one object."""

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_gateway.catalogue import Catalogue
from spark_gateway.explaining.model_chat import ModelChat
from spark_gateway.followers import Followers
from spark_gateway.keys.entrance import Entrance
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.search.wiring import Search
from spark_gateway.served import ServedModels
from spark_gateway.streams.board import Board
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.hub import Hub


@dataclass(frozen=True)
class Parts:
    """The concrete things behind the routes; built once, in ``app.build``."""

    bus: Bus
    clock: Clock
    hub: Hub
    jobs: Hub
    board: Board
    served: ServedModels
    catalogue: Catalogue
    chat: ModelChat
    origin_guard: OriginGuard
    version: str
    events: EventLog
    entrance: Entrance
    search: Search
    stopping: asyncio.Event
    """Set when the gateway ends: streams of its own making end too."""
    log_followers: Followers = field(default_factory=Followers)
    """Who follows the log of a container now."""


def parts_of(request: Request) -> Parts:
    """Return the parts of the application that serves this request."""
    parts = request.app.state.parts
    if not isinstance(parts, Parts):
        raise TypeError("the application was built without its parts")
    return parts
