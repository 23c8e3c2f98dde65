"""Looks at the model server all the time, so that nobody who asks about it has to wait for it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.clock import Clock
from spark_gateway.dataplane.ports import UpstreamNow
from spark_gateway.served import ServedModel

POLL_SECONDS: Final = 2.0
POKED_POLL_SECONDS: Final = 0.5
_POKED_FOR_SECONDS: Final = 10.0
_TIMEOUT_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 0.05
_REMEMBERED_SECONDS: Final = 60.0
"""How long the models of a server that fell silent are still listed."""

State = Literal["unknown", "serving", "idle", "unreachable"]
"""Idle: the host answers and nothing listens. Unreachable: no answer, or not one of a model
server."""


class _Listed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    created: int = 0
    owned_by: str = "vllm"
    max_model_len: int | None = None
    root: str | None = None


class _Listing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Listed]


@dataclass(frozen=True, slots=True)
class Served:
    """What the model server serves, as last seen."""

    state: State = "unknown"
    models: tuple[ServedModel, ...] = ()
    """The last list it gave; empty once it is idle."""
    stale: bool = False
    """Whether the list is older than the last look."""
    listed_at: float | None = None
    """When the list was given, on the monotonic clock."""


class UpstreamWatch:
    """Polls ``GET /v1/models`` of one upstream. A failing look is a finding, not an error."""

    def __init__(
        self,
        upstream: UpstreamNow,
        client: httpx.AsyncClient,
        clock: Clock,
        tell: Callable[[Served], None] | None = None,
    ) -> None:
        self._upstream = upstream
        self._client = client
        self._clock = clock
        self._tell = tell
        self._listeners: list[Callable[[], None]] = []
        self._poked_until = -1.0
        self._poked = asyncio.Event()
        self._looked = asyncio.Event()
        self.served = Served()
        self.looked_at = -1.0
        """When the look began that found what ``served`` says, on the monotonic clock."""

    def on_look(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every look, when ``tell`` was told."""
        self._listeners.append(listener)

    def models(self) -> Sequence[ServedModel]:
        """The loaded models; those of a server that only just fell silent are still listed."""
        served = self.served
        if served.stale and served.listed_at is not None:
            age = self._clock.monotonic() - served.listed_at
            return served.models if age <= _REMEMBERED_SECONDS else ()
        return served.models

    def poke(self) -> None:
        """Something is about to change: look at once, and more often for a while."""
        self._poked_until = self._clock.monotonic() + _POKED_FOR_SECONDS
        self._looked.clear()
        self._poked.set()

    async def up_to_date(self) -> None:
        """Wait for the look that the last poke asked for, but only a moment."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), _PATIENCE_SECONDS)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._poked.clear()
            await self.look()
            if not self._poked.is_set():
                self._looked.set()
                poked = self._clock.monotonic() < self._poked_until
                await self._nap(POKED_POLL_SECONDS if poked else POLL_SECONDS)

    async def _nap(self, seconds: float) -> None:
        """Sleep, or less when somebody pokes."""
        nap = asyncio.ensure_future(self._clock.sleep(seconds))
        poked = asyncio.ensure_future(self._poked.wait())
        try:
            await asyncio.wait({nap, poked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            poked.cancel()

    async def look(self) -> None:
        """Look once."""
        began = self._clock.monotonic()
        try:
            where = self._upstream()
            url = f"http://{where.host}:{where.port}/v1/models"
            response = await self._client.get(url, timeout=_TIMEOUT_SECONDS)
            response.raise_for_status()
            listing = _Listing.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            self._found(self._missing(error), began)
        else:
            models = tuple(ServedModel(**listed.model_dump()) for listed in listing.data)
            listed = Served("serving", models, listed_at=self._clock.monotonic())
            self._found(listed, began)

    def _missing(self, error: Exception) -> Served:
        if _was_refused(error):
            return Served("idle")
        known = self.served
        return Served("unreachable", known.models, stale=True, listed_at=known.listed_at)

    def _found(self, served: Served, began: float) -> None:
        self.served, self.looked_at = served, began
        if self._tell is not None:
            self._tell(served)
        for listener in self._listeners:
            listener()


def _was_refused(error: BaseException | None) -> bool:
    """Whether the host itself said that nothing listens; httpx hides that behind its own errors."""
    while error is not None and not isinstance(error, ConnectionRefusedError):
        error = error.__cause__ or error.__context__
    return error is not None
