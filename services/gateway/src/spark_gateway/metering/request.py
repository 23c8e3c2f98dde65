"""One request as it goes: told by the data plane, added to the books and to the log at its end."""

from typing import TYPE_CHECKING, Final, Literal

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import How, Identity, Upstream
from spark_gateway.metering.answer import AnswerReading
from spark_gateway.metering.books import Entry
from spark_gateway.metering.busy import BusyTime
from spark_gateway.metering.callers import plain
from spark_gateway.metering.capture import Bodies
from spark_gateway.metering.kinds import kind_of

if TYPE_CHECKING:
    from spark_gateway.metering.metering import Metering

_WHATEVER_IS_LOADED: Final = frozenset({"", "auto"})


class MeteredRequest(Entry):
    """A ``Watcher`` that remembers numbers, and of what passes only what names tokens."""

    wants_data = True
    wants_body = True

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
    _answer: AnswerReading | None = None
    _busy: BusyTime | None = None
    _bodies: Bodies | None = None

    def __init__(
        self, metering: "Metering", head: RequestHead, peer: str | None, request_id: bytes
    ) -> None:
        self._metering = metering
        self._kind = kind_of(head.path)
        self.head = head
        self.peer = peer
        self.request_id = request_id
        self.began_at = self._arrived_at = metering.now()
        """On the monotonic clock, as all moments here."""
        self.route = self._kind.route
        if head.client_retries:
            self.repeated = True
        if metering.capture is not None:
            self._bodies = metering.capture.begin()

    @property
    def extra_fields(self) -> bytes:
        """What the answer's head says of us; once it is sent."""
        overhead = self.overhead
        if overhead is None:
            return b""
        if not self.queued:
            return b"x-spark-overhead-ms: %.3f\r\n" % (overhead * 1000)
        return b"x-spark-overhead-ms: %.3f\r\nx-spark-queue-ms: %.0f\r\n" % (
            overhead * 1000,
            self.queued * 1000,
        )

    def known(self, identity: Identity) -> None:
        """Who asks."""
        self.key = identity.label

    def named(self, model: str | None) -> None:
        """The model that the body names."""
        if model is not None:
            self.model = model.strip()

    def waited(self, seconds: float, why: Literal["model", "turn"]) -> None:
        """It waited here."""
        self.queued += seconds
        self._metering.books.waited(why, seconds)

    def sent(self, upstream: Upstream) -> None:
        """It goes up now."""
        metering = self._metering
        now = metering.now()
        self.upstream = upstream.name
        self.overhead = max(0.0, now - self._arrived_at - self.queued)
        self._answer = AnswerReading(self._kind, metering.now)
        self._busy = metering.books.busy_time(upstream.name)
        self._busy.began(now)

    def received(self, content: bytes) -> None:
        """A piece of the body."""
        self.bytes_in += len(content)
        if self._bodies is not None:
            self._bodies.asked.add(content)
        if self._answer is None:
            self._arrived_at = self._metering.now()

    def passed(self, data: bytes) -> None:
        """A piece of the answer."""
        if self._answer is not None:
            self._answer.feed(data)
        if self._bodies is not None:
            self._bodies.answered.add(data)

    def ended(self, status: int, how: How) -> None:
        """It is over."""
        metering = self._metering
        now = metering.now()
        self.how = how
        self.status = status
        self.total = now - self.began_at
        if self.model in _WHATEVER_IS_LOADED:
            self.model = metering.served_name()
        answer, self._answer = self._answer, None
        if self._busy is not None:
            self._busy.over(now)
        if answer is not None:
            self._take_numbers(answer, now)
        metering.books.add(self)
        metering.log(self)
        bodies, self._bodies = self._bodies, None
        if bodies is not None and metering.capture is not None:
            path = plain(self.head.path)
            metering.capture.end(bodies, plain(self.request_id), path, self.total)

    def _take_numbers(self, answer: AnswerReading, now: float) -> None:
        self.bytes_out = answer.bytes
        if answer.first_byte_at is not None:
            self.first_byte = answer.first_byte_at - self.began_at
        if answer.first_token_at is not None:
            self.first_token = answer.first_token_at - self.began_at
            self.writing = now - answer.first_token_at
        usage, self.estimated = answer.usage(complete=self.how == "complete")
        self.prompt, self.completion, self.cached = usage
