"""Gives every request of the data plane what follows it: ``Watching`` of ``dataplane/ports``."""

from collections.abc import Callable

from spark_common.clock import Clock
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.metering.books import Books
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.request import MeteredRequest


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
        self.books = Books()
        self.now = clock.monotonic
        self.served_name = served_name
        self.log = log
        self.capture = capture

    def __call__(self, head: RequestHead, peer: str | None, request_id: bytes) -> MeteredRequest:
        """Follow a request that was just received."""
        return MeteredRequest(self, head, peer, request_id)
