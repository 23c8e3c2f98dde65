"""Looks at the model server all the time, so that nobody who asks about it has to wait for it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

import httpx

from spark_common.clock import Clock
from spark_gateway.dataplane.listing import read_models, read_paths
from spark_gateway.dataplane.ports import Upstream, UpstreamNow
from spark_gateway.served import ServedModel

POLL_SECONDS: Final = 2.0
POKED_POLL_SECONDS: Final = 0.5
_POKED_FOR_SECONDS: Final = 10.0
_TIMEOUT_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 0.03
"""Of who asks for the list while a change is looked at: it is answered within 50 ms."""
_REMEMBERED_SECONDS: Final = 60.0
"""How long the models of a server that fell silent are still listed."""

State = Literal["unknown", "serving", "idle", "unreachable"]
"""Idle: the host answers and nothing listens. Unreachable: no answer, or not one of a model
server."""


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
    paths: frozenset[str] | None = None
    """The addresses it answers at, where it says so."""


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
        self._paths_owed = False
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
            models = read_models(await self._ask(where, "/v1/models"))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._found(self._missing(error), began)
        else:
            known = self.served
            same = known.state == "serving" and _ids(known.models) == _ids(models)
            paths = known.paths if same else None
            listed = Served("serving", models, listed_at=self._clock.monotonic(), paths=paths)
            self._found(listed, began)
            if not same or self._paths_owed:
                # Told first: what is served matters more than where.
                await self._look_at_paths(where, began)

    async def _ask(self, where: Upstream, path: str) -> bytes:
        host = f"[{where.host}]" if ":" in where.host else where.host
        url = f"http://{host}:{where.port}{path}"
        response = await self._client.get(url, timeout=_TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.content

    async def _look_at_paths(self, where: Upstream, began: float) -> None:
        """Find out the addresses of a server that serves something else than before."""
        self._paths_owed = False
        try:
            paths = read_paths(await self._ask(where, "/openapi.json"))
        except httpx.HTTPStatusError:
            return
        except httpx.HTTPError:
            # It was too busy to say; what it has it says at the next look.
            self._paths_owed = True
            return
        if paths is not None:
            self._found(replace(self.served, paths=paths), began)

    def _missing(self, error: Exception) -> Served:
        if _was_refused(error):
            return Served("idle")
        return replace(self.served, state="unreachable", stale=True)

    def _found(self, served: Served, began: float) -> None:
        self.served, self.looked_at = served, began
        if self._tell is not None:
            self._tell(served)
        for listener in self._listeners:
            listener()


def _ids(models: Sequence[ServedModel]) -> list[str]:
    return [model.id for model in models]


def _was_refused(error: BaseException | None) -> bool:
    """Whether the host itself said that nothing listens; httpx hides that behind its own errors."""
    while error is not None and not isinstance(error, ConnectionRefusedError):
        error = error.__cause__ or error.__context__
    return error is not None
