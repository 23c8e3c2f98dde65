"""One request as it goes: told by the data plane, added to the books and to the log at its end."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, Literal

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import How, Identity, Upstream
from spark_gateway.metering.answer import MOST_BYTES, AnswerReading
from spark_gateway.metering.books import Entry
from spark_gateway.metering.busy import BusyTime
from spark_gateway.metering.capture import Bodies
from spark_gateway.metering.kinds import kind_of
from spark_gateway.metering.usage import usage_in

if TYPE_CHECKING:
    from spark_gateway.metering.metering import Metering

AT_ONCE: Final = 32
"""Settled together: a fraction of what each would take by itself, and no pause that shows."""
_WHATEVER_IS_LOADED: Final = frozenset({"", "auto"})


class MeteredRequest(Entry):
    """A ``Watcher`` that remembers numbers, and of what passes only what names tokens.

    While it goes it only notes; what takes longer is done by ``settle``, many at a time.
    """

    wants_data = True
    wants_body = True

    __slots__ = (
        "_answer",
        "_arrived_at",
        "_busy",
        "_metering",
        "_whole",
        "_whole_at",
        "began_at",
        "bodies",
        "bytes_in",
        "bytes_out",
        "caller",
        "first_byte",
        "head",
        "how",
        "key",
        "peer",
        "queued",
        "request_id",
        "upstream",
    )

    def __init__(
        self,
        metering: "Metering",
        head: RequestHead,
        peer: str | None,
        request_id: bytes,
        body: bytes = b"",
    ) -> None:
        super().__init__()
        self._metering = metering
        self.head = head
        self.peer = peer
        self.request_id = request_id
        self.bytes_in = len(body)
        self.began_at = self._arrived_at = metering.now()
        """On the monotonic clock, as all moments here."""
        self.how: How = "left"
        self.key = ""
        """Label of who asks."""
        self.upstream = ""
        self.queued = 0.0
        """Seconds."""
        self.first_byte: float | None = None
        """Seconds after the beginning."""
        self.bytes_out = 0
        self.caller: Identity | None = None
        """Who is told what it has cost; None is anybody."""
        self._whole: bytes | None = None
        """Of an answer in one piece: that, until it is settled."""
        self._whole_at = 0.0
        self._answer: AnswerReading | None = None
        """Reads any other answer."""
        self._busy: BusyTime | None = None
        capture = metering.capture
        self.bodies: Bodies | None = capture.begin() if capture is not None else None
        """What is captured of it."""
        if self.bodies is not None:
            self.bodies.asked.add(body)

    def known(self, identity: Identity) -> None:
        """Who asks."""
        self.caller = identity
        self.key = identity.label

    def named(self, model: str | None) -> None:
        """The model that the body names."""
        if model is not None:
            self.model = model

    def waited(self, seconds: float, why: Literal["model", "turn"]) -> None:
        """It waited here."""
        self.queued += seconds
        self._metering.waited(why, seconds)

    def sent(self, upstream: Upstream) -> bytes:
        """It goes up now."""
        metering = self._metering
        name = self.upstream = upstream.name
        now = metering.now()
        overhead = now - self._arrived_at - self.queued
        if overhead < 0.0:
            overhead = 0.0
        self.overhead = overhead
        busy = self._busy = metering.busy.get(name) or metering.busy_time(name)
        busy.began(now)
        line = _overhead_line(round(overhead * 1_000_000))
        return line if not self.queued else line + _queue_line(self.queued)

    def received(self, content: bytes) -> None:
        """A piece of the body."""
        self.bytes_in += len(content)
        if not self.upstream:
            self._arrived_at = self._metering.now()
        if self.bodies is not None:
            self.bodies.asked.add(content)

    def answered(self, data: bytes) -> None:
        """All of the answer."""
        if self.bodies is not None or len(data) >= MOST_BYTES:
            # Too much to be kept until it is settled.
            self.begins(data)
        else:
            self._whole = data
            self._whole_at = self._metering.now()

    def begins(self, data: bytes) -> Callable[[bytes], None]:
        """The first piece of the answer; what takes the others."""
        answer = self._answer = AnswerReading(self.head.path, self._metering.now)
        # A stream has thousands of pieces: no stop here on their way.
        passed = answer.feed if self.bodies is None else partial(_keep, self.bodies, answer)
        passed(data)
        return passed

    def ended(self, status: int, how: How) -> None:
        """It is over."""
        metering = self._metering
        now = metering.now()
        self.how = how
        self.status = status
        self.total = now - self.began_at
        if self._busy is not None:
            self._busy.over(now)
        metering.over.append(self)
        if len(metering.over) >= AT_ONCE:
            metering.settle()

    def settle(self) -> None:
        """Find out what it took and gave."""
        head, whole = self.head, self._whole
        self.route = kind_of(head.path).route
        if head.client_retries:
            self.repeated = True
        self.model = _label(self.model) or self._metering.served_name()
        if whole is not None:
            self._whole = None
            self.bytes_out = len(whole)
            self.first_byte = self._whole_at - self.began_at
            self.prompt, self.completion, self.cached = usage_in(whole)
        elif self._answer is not None:
            self._take_numbers(self._answer)
        if self.caller is not None and self.upstream:
            self.caller.spent((self.prompt or 0) + (self.completion or 0))

    def _take_numbers(self, answer: AnswerReading) -> None:
        self._answer = None
        answer.finish()
        self.bytes_out = answer.size
        if answer.first_byte_at is not None:
            self.first_byte = answer.first_byte_at - self.began_at
        if answer.first_token_at is not None:
            self.first_token = answer.first_token_at - self.began_at
            self.writing = self.total - self.first_token
        usage, self.estimated = answer.usage(complete=self.how == "complete")
        self.prompt, self.completion, self.cached = usage


def _keep(bodies: Bodies, answer: AnswerReading, data: bytes) -> None:
    """Keep a piece of the answer, as far as there is room, and read it."""
    bodies.answered.add(data)
    answer.feed(data)


@lru_cache(1024)
def _overhead_line(microseconds: int) -> bytes:
    """Return the field line; one of few hundred, unless the machine is in distress."""
    return b"x-spark-overhead-ms: %.3f\r\n" % (microseconds / 1000)


def _queue_line(seconds: float) -> bytes:
    return b"x-spark-queue-ms: %.0f\r\n" % (seconds * 1000)


@lru_cache(256)
def _label(named: str) -> str:
    """Return the model as numbers name it; empty where it is whatever is loaded."""
    model = named.strip()
    if not model.isascii():
        # JSON can name what is no text, and the numbers are shown as text.
        model = model.encode("utf-8", "replace").decode()
    return "" if model in _WHATEVER_IS_LOADED else model
