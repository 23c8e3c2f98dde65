"""Whether a service that speaks HTTP answers on its port."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from spark_common.clock import Clock
from spark_health.watching.first.http_look import HttpLook, look
from spark_health.watching.ports import Sighting, Target

BUSY_SECONDS: Final = 600.0
"""Longer than any one piece of work blocks the event loop of a speech container."""


@dataclass(frozen=True)
class Place:
    """A service and where it is now."""

    name: str
    label: str
    address: str
    port: int
    path: str
    host: str | None
    """The watched host of that address."""
    may_be_silent: bool = False
    """It blocks while it works: silence is work, for as long as work may take."""

    @property
    def url(self) -> str:
        """Its address with scheme and port."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}"


class ServiceProbe:
    """One service; its place is asked for every time, since the owner may move it."""

    def __init__(
        self,
        place: Callable[[], Place],
        client: httpx.AsyncClient,
        clock: Clock,
        every_seconds: float,
    ) -> None:
        self.every_seconds = every_seconds
        self._place = place
        self._client = client
        self._clock = clock
        self._silent_since: float | None = None

    @property
    def target(self) -> Target:
        """The service where it is now."""
        place = self._place()
        return Target(place.name, "service", place.label, place.host, place.url)

    async def look(self) -> Sighting:
        """Ask its health once."""
        place = self._place()
        began = self._clock.monotonic()
        seen = await look(self._client, place.url + place.path)
        now = self._clock.now()
        if seen.outcome == "silent" and place.may_be_silent:
            return self._silent(place, seen)
        self._silent_since = None
        if seen.ok:
            spent = round((self._clock.monotonic() - began) * 1000)
            return Sighting("up", "", now, {"http_ms": spent})
        if seen.outcome == "answered" and seen.status in (404, 405):
            # It has no such page, and it is there.
            return Sighting("up", f"{place.label} has no {place.path}", now)
        return Sighting("down", f"{place.label} {seen.sentence}", now, _facts(seen))

    def _silent(self, place: Place, seen: HttpLook) -> Sighting:
        now, steady = self._clock.now(), self._clock.monotonic()
        if self._silent_since is None:
            self._silent_since = steady
        silent = steady - self._silent_since
        if silent < BUSY_SECONDS:
            reason = f"{place.label} takes connections and is too busy to answer"
            return Sighting("busy", reason, now, {"silent_seconds": round(silent)})
        reason = f"{place.label} has not answered for {round(silent / 60)} min"
        return Sighting("down", reason, now, _facts(seen))


def _facts(seen: HttpLook) -> dict[str, int]:
    return {"http_status": seen.status} if seen.outcome == "answered" else {}
