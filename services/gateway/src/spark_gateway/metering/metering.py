"""What all metered requests share: the books, the log, and the moment at which they are settled."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from spark_common.clock import Clock
from spark_gateway.dataplane.ports import Watching
from spark_gateway.metering.books import Books
from spark_gateway.metering.callers import plain
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.request import MeteredRequest

PAUSE_SECONDS: Final = 0.25


def log_nothing(requests: Sequence[MeteredRequest]) -> None:
    """Keep no line of requests that are over."""


class Metering:
    """What all metered requests of one gateway share."""

    def __init__(
        self,
        clock: Clock,
        served_name: Callable[[], str] = lambda: "",
        log: Callable[[Sequence[MeteredRequest]], None] = log_nothing,
        capture: CaptureDesk | None = None,
    ) -> None:
        """``served_name``: of the loaded model; ``log`` gets those that are over."""
        self.now = clock.monotonic
        self.served_name = served_name
        self.capture = capture
        self.over: list[MeteredRequest] = []
        """Requests that are over and not settled."""
        self.watch: Watching = partial(MeteredRequest, self)
        """Follows a request that was just received."""
        self._books = Books()
        self.busy = self._books.busy
        self.busy_time = self._books.busy_time
        self.waited = self._books.waited
        self._log = log
        self._clock = clock

    def settle(self) -> Books:
        """Settle all that are over; return the sums."""
        books, requests = self._books, self.over
        if requests:
            self.over = []
            for request in requests:
                request.settle()
                books.add(request)
                if request.bodies is not None:
                    self._hand_in_bodies(request)
            self._log(requests)
        return books

    def _hand_in_bodies(self, request: MeteredRequest) -> None:
        bodies, request.bodies = request.bodies, None
        if bodies is not None and self.capture is not None:
            self.capture.end(
                bodies,
                plain(request.request_id),
                plain(request.head.path),
                self.now() - request.began_at,
            )

    async def run(self) -> None:
        """Settle for ever."""
        while True:
            await self._clock.sleep(PAUSE_SECONDS)
            self.settle()
