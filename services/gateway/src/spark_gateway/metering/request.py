"""One request as it goes: told by the data plane, added to the books and to the log at its end."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import How, Identity, Upstream
from spark_gateway.metering.answer import AnswerReading, may_be_whole
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

    extra_fields: bytes = b""
    """What the answer's head says of us; once it is sent."""
    how: How = "left"
    key: str = ""
    """Label of who asks."""
    upstream: str = ""
    queued: float = 0.0
    """Seconds."""
    first_byte: float | None = None
    """Seconds after the beginning."""
    bytes_in: int = 0
    bytes_out: int = 0
    bodies: Bodies | None = None
    """What is captured of it."""
    caller: Identity | None = None
    """Who is told what it has cost; None is anybody."""
    passed: Callable[[bytes], None]
    """A piece of the answer; from ``sent`` on."""
    _first: bytes = b""
    """Of an answer that may be over with its first piece; what makes more of it needs a reading."""
    _first_at: float = 0.0
    _answer: AnswerReading | None = None
    _busy: BusyTime | None = None

    def __init__(
        self, metering: "Metering", head: RequestHead, peer: str | None, request_id: bytes
    ) -> None:
        self._metering = metering
        self.head = head
        self.peer = peer
        self.request_id = request_id
        self.began_at = self._arrived_at = metering.now()
        """On the monotonic clock, as all moments here."""
        if metering.capture is not None:
            self.bodies = metering.capture.begin()

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

    def sent(self, upstream: Upstream) -> None:
        """It goes up now."""
        metering = self._metering
        now = metering.now()
        self.upstream = upstream.name
        self.overhead = max(0.0, now - self._arrived_at - self.queued)
        self.extra_fields = b"x-spark-overhead-ms: %.3f\r\n" % (self.overhead * 1000)
        if self.queued:
            self.extra_fields += b"x-spark-queue-ms: %.0f\r\n" % (self.queued * 1000)
        busy = self._busy = metering.busy.get(self.upstream) or metering.busy_time(self.upstream)
        busy.began(now)
        self.passed = self._begin if self.bodies is None else self._captured

    def received(self, content: bytes) -> None:
        """A piece of the body."""
        self.bytes_in += len(content)
        if not self.upstream:
            self._arrived_at = self._metering.now()
        if self.bodies is not None:
            self.bodies.asked.add(content)

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
        self.route = kind_of(self.head.path).route
        self.repeated = self.head.client_retries > 0
        self.model = self.model.strip()
        if not self.model.isascii():
            # JSON can name what is no text, and the numbers are shown as text.
            self.model = self.model.encode("utf-8", "replace").decode()
        if self.model in _WHATEVER_IS_LOADED:
            self.model = self._metering.served_name()
        if self.upstream:
            del self.passed
            self._take_numbers()
            if self.caller is not None:
                self.caller.spent((self.prompt or 0) + (self.completion or 0))

    def _begin(self, data: bytes) -> None:
        """Take the first piece of the answer."""
        if may_be_whole(data):
            self._first, self._first_at = data, self._metering.now()
            self.passed = self._go_on
        else:
            self._read_on().feed(data)

    def _go_on(self, data: bytes) -> None:
        """Take the second piece: it is an answer to be followed after all."""
        answer = self._read_on()
        answer.feed(self._first)
        answer.first_byte_at = self._first_at
        answer.feed(data)

    def _read_on(self) -> AnswerReading:
        answer = self._answer = AnswerReading(self.head.path, self._metering.now)
        if self.bodies is None:
            self.passed = answer.feed
        return answer

    def _captured(self, data: bytes) -> None:
        """Keep a piece of the answer, as far as there is room, and read it."""
        if self.bodies is not None:
            self.bodies.answered.add(data)
        (self._answer or self._read_on()).feed(data)

    def _take_numbers(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            if self._first:
                self.bytes_out = len(self._first)
                self.first_byte = self._first_at - self.began_at
                self.prompt, self.completion, self.cached = usage_in(self._first)
                self._first = b""
            return
        answer.finish()
        self.bytes_out = answer.size
        if answer.first_byte_at is not None:
            self.first_byte = answer.first_byte_at - self.began_at
        if answer.first_token_at is not None:
            self.first_token = answer.first_token_at - self.began_at
            self.writing = self.total - self.first_token
        usage, self.estimated = answer.usage(complete=self.how == "complete")
        self.prompt, self.completion, self.cached = usage
