"""What stands behind the gateway: what is served, and a model server that streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel


@dataclass
class FakeServed:
    """What the runtime serves, as the test says."""

    listed: list[ServedModel] = field(default_factory=list)
    now: Served | None = None
    """As the look at the model server found it, where that matters."""
    beside: Served = field(default_factory=Served)
    aliases: tuple[str, ...] = ()
    lists_menu: bool = True
    hidden: tuple[str, ...] = ("parakeet", "kokoro")

    def models(self) -> Sequence[ServedModel]:
        return self.listed

    async def up_to_date(self) -> None:
        return


def a_catalogue(served: FakeServed) -> Catalogue:
    """What clients are told of: what is served, the menu, and speech."""
    return Catalogue(
        loaded=lambda: served.now or Served("serving", tuple(served.listed)),
        beside=lambda: served.beside,
        aliases=lambda: served.aliases,
        lists_menu=lambda: served.lists_menu,
        hidden=lambda: served.hidden,
        made_at=1_700_000_000,
    )


@dataclass
class FakeModel:
    """A model server that streams what the test says, and notices who leaves early."""

    pieces: list[str] = field(default_factory=list)
    status: int = 200
    away: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    endless: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        self.asked.append(json.loads(request.content))
        return httpx.Response(self.status, content=self._stream())

    async def _stream(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                yield piece.encode()
            if self.endless:
                await asyncio.Event().wait()
        finally:
            self.closed.set()
