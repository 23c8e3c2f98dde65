"""Requests that are told to a metering as the data plane tells them, on a clock that is moved."""

from dataclasses import dataclass

import pytest

from spark_gateway.dataplane.heads import parse_request
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.metering.metering import Metering

UPSTREAM = Upstream("127.0.0.1", 8888)


class HandClock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Someone:
    """A caller with a key."""

    label: str


class Stand:
    """One metering and the requests that are over."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.over = []
        self.metering = Metering(self.clock, lambda: "loaded", self.over.extend)

    @property
    def books(self):
        return self.metering.settle()

    def end(self, request, status=200, how="complete") -> None:
        request.ended(status, how)
        self.metering.settle()

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def begin(self, path="/v1/chat/completions", fields=b"", peer="127.0.0.9"):
        raw = b"POST %b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (path.encode(), fields)
        return self.metering.watch(parse_request(raw), peer, b"req-1", b"")

    def ask(self, answer: bytes, path="/v1/chat/completions", *, model="tiny", how="complete"):
        """One request, answered at once and in one piece."""
        request = self.begin(path)
        request.received(b"{}")
        request.named(model)
        request.sent(UPSTREAM)
        request.begins(answer)
        self.end(request, 200, how)
        return request


@pytest.fixture
def stand() -> Stand:
    return Stand()
