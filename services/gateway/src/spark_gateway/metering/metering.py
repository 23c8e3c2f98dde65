"""Gives every request of the data plane what follows it: ``Watching`` of ``dataplane/ports``."""

from collections.abc import Callable
from typing import Final

from spark_common.clock import Clock
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.metering.books import Books
from spark_gateway.metering.callers import plain
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.request import MeteredRequest

PAUSE_SECONDS: Final = 0.25
_AT_ONCE: Final = 64
"""Settled together: some tenths of a millisecond."""


def log_nothing(request: MeteredRequest) -> None:
    """Keep no line of a request that is over."""


class Metering:
    """What all metered requests of one gateway share."""

    def __init__(
        self,
        clock: Clock,
        served_name: Callable[[], str] = lambda: "",
        log: Callable[[MeteredRequest], None] = log_nothing,
        capture: CaptureDesk | None = None,
    ) -> None:
        """``served_name``: of the loaded model; ``log`` gets each request once it is over."""
        self.now = clock.monotonic
        self.served_name = served_name
        self.capture = capture
        self._books = Books()
        self._log = log
        self._clock = clock
        self._over: list[MeteredRequest] = []

    @property
    def books(self) -> Books:
        """The sums, except for the last few requests that are not settled."""
        return self._books

    def __call__(self, head: RequestHead, peer: str | None, request_id: bytes) -> MeteredRequest:
        """Follow a request that was just received."""
        return MeteredRequest(self, head, peer, request_id)

    def over(self, request: MeteredRequest) -> None:
        """A request is over; it is settled with others, which takes a fraction of the time."""
        self._over.append(request)
        if len(self._over) >= _AT_ONCE:
            self.settle()

    def settle(self) -> Books:
        """Settle all that are over; return the sums."""
        requests, self._over = self._over, []
        for request in requests:
            request.settle()
            self._books.add(request)
            self._log(request)
            bodies, request.bodies = request.bodies, None
            if bodies is not None and self.capture is not None:
                self.capture.end(
                    bodies,
                    plain(request.request_id),
                    plain(request.head.path),
                    self.now() - request.began_at,
                )
        return self._books

    async def run(self) -> None:
        """Settle for ever."""
        while True:
            await self._clock.sleep(PAUSE_SECONDS)
            self.settle()
