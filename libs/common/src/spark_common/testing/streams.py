"""A JetStream stream in memory: what it stores, refuses, forgets and hands out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spark_common.bus import wire
from spark_common.bus.patterns import matches
from spark_common.bus.port import Duplicate, PublishResult, Refused, Stored, StoredMessage
from spark_common.bus.streams import ConsumerSpec, StreamSpec
from spark_common.clock import Clock


@dataclass
class Pending:
    """A message that was handed out and not settled."""

    message: StoredMessage
    attempt: int
    due: float
    """When it is delivered again, on the clock's ``monotonic``."""


@dataclass
class MemoryConsumer:
    """The state of one durable consumer."""

    spec: ConsumerSpec
    next_seq: int = 1
    pending: dict[int, Pending] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)


class MemoryStream:
    """One stream and its durable consumers."""

    def __init__(
        self, spec: StreamSpec, clock: Clock, epoch: str, advise: Callable[[str, bytes], object]
    ) -> None:
        self.spec = spec
        self.epoch = epoch
        self.messages: dict[int, StoredMessage] = {}
        self._clock = clock
        self._advise = advise
        self._last_seq = 0
        self._ids: dict[str, tuple[int, float]] = {}
        self._consumers = {consumer.name: MemoryConsumer(consumer) for consumer in spec.consumers}

    @property
    def bounds(self) -> tuple[str, int, int]:
        """Epoch, first and last sequence; an emptied stream has first = last + 1."""
        empty = self._last_seq + 1 if self._last_seq else 0
        return self.epoch, min(self.messages, default=empty), self._last_seq

    def store(
        self, subject: str, payload: bytes, id: str | None, first_on: str | None
    ) -> PublishResult:
        """Store a message by the rules of the server, in the order the server applies them."""
        moment = self._clock.monotonic()
        known = self._ids.get(id) if id else None
        if known is not None and moment - known[1] < self.spec.duplicate_window_seconds:
            return Duplicate(known[0])
        if 0 < self.spec.max_message_bytes < len(payload):
            return Refused(f"{self.spec.name} takes at most {self.spec.max_message_bytes} bytes")
        if first_on is not None and (rival := self.last(first_on)) is not None:
            return self._repeat_or(rival, subject, id, f"{rival.subject} already stands")
        if self.spec.one_per_subject and (rival := self.last(subject)) is not None:
            return Duplicate(rival.seq)
        if self.spec.refuse_when_full and len(self.messages) >= self.spec.max_messages:
            return Refused(f"{self.spec.name} is full")
        self._last_seq += 1
        if id:
            self._ids[id] = (self._last_seq, moment)
        self.messages[self._last_seq] = StoredMessage(
            stream=self.spec.name,
            epoch=self.epoch,
            seq=self._last_seq,
            subject=subject,
            payload=payload,
            envelope=wire.unseal(payload),
            headers={wire.MESSAGE_ID: id} if id else {},
            stored_at=self._clock.now(),
        )
        self._forget()
        return Stored(self._last_seq)

    def last(self, pattern: str) -> StoredMessage | None:
        """Return the newest message under a pattern."""
        return next(
            (
                self.messages[seq]
                for seq in sorted(self.messages, reverse=True)
                if matches(pattern, self.messages[seq].subject)
            ),
            None,
        )

    def after(self, seq: int, patterns: Sequence[str]) -> StoredMessage | None:
        """Return the first message behind ``seq`` under one of the patterns."""
        return next(
            (
                message
                for number, message in sorted(self.messages.items())
                if number > seq and any(matches(pattern, message.subject) for pattern in patterns)
            ),
            None,
        )

    def consumer(self, durable: str) -> MemoryConsumer:
        """Return a durable consumer; KeyError when the stream has no such one."""
        return self._consumers[durable]

    def hand_out(self, durable: str) -> Pending | None:
        """Deliver the next message of a durable consumer, if one is due and allowed."""
        consumer = self._consumers[durable]
        moment = self._clock.monotonic()
        for seq, pending in sorted(consumer.pending.items()):
            if pending.due <= moment:
                if pending.attempt >= consumer.spec.max_deliver > 0:
                    self.bury(durable, seq, "MAX_DELIVERIES")
                    continue
                return self._deliver(consumer, pending.message)
        if len(consumer.pending) >= consumer.spec.max_ack_pending:
            return None
        message = self.after(consumer.next_seq - 1, (consumer.spec.subject,))
        if message is None:
            return None
        consumer.next_seq = message.seq + 1
        return self._deliver(consumer, message)

    def next_due(self, durable: str) -> float | None:
        """Return when the next redelivery is due, or None."""
        pending = self._consumers[durable].pending
        return min((entry.due for entry in pending.values()), default=None)

    def bury(
        self,
        durable: str,
        seq: int,
        kind: Literal["MAX_DELIVERIES", "MSG_TERMINATED"],
        reason: str | None = None,
    ) -> None:
        """Never deliver it again to this consumer; it stays readable, and an advisory says so."""
        pending = self._consumers[durable].pending.pop(seq, None)
        if pending is None:
            return
        advisory: dict[str, str | int] = {
            "stream": self.spec.name,
            "consumer": durable,
            "stream_seq": seq,
            "deliveries": pending.attempt,
        }
        if reason is not None:
            advisory["reason"] = reason
        subject = f"$JS.EVENT.ADVISORY.CONSUMER.{kind}.{self.spec.name}.{durable}"
        self._advise(subject, json.dumps(advisory).encode())

    def _deliver(self, consumer: MemoryConsumer, message: StoredMessage) -> Pending:
        attempt = consumer.attempts.get(message.seq, 0) + 1
        consumer.attempts[message.seq] = attempt
        due = self._clock.monotonic() + consumer.spec.ack_wait_seconds
        pending = Pending(message, attempt, due)
        consumer.pending[message.seq] = pending
        return pending

    def _repeat_or(
        self, rival: StoredMessage, subject: str, id: str | None, reason: str
    ) -> PublishResult:
        if id and rival.subject == subject and rival.headers.get(wire.MESSAGE_ID) == id:
            return Duplicate(rival.seq)
        return Refused(reason)

    def _forget(self) -> None:
        if not self.spec.refuse_when_full:
            while len(self.messages) > self.spec.max_messages:
                del self.messages[min(self.messages)]
