"""A stored event as a CloudEvent, and the short memory of one stream."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from spark_common.bus import StoredMessage
from spark_gateway.streams.event_types import type_of

SHELF_RECORDS = 2048
SHELF_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One event. ``body`` is the whole envelope as JSON without line breaks."""

    stream: str
    seq: int
    type: str
    stored_at: float
    """Seconds since 1970 by the clock of the bus: the order over all streams."""
    body: str
    looked_up: bool = False
    """It was read from the stream itself: long ago, everything older is there."""

    @property
    def order(self) -> tuple[float, str, int]:
        """What comes first is told first."""
        return self.stored_at, self.stream, self.seq


def record_of(message: StoredMessage, *, looked_up: bool = False) -> Record | None:
    """Read a stored message; None for what carries no event (somebody published by hand)."""
    name = type_of(message.subject)
    if name is None or message.envelope is None:
        return None
    try:
        body = json.dumps(json.loads(message.payload), separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        # What one parser takes another may not; nobody's events may stop because of it.
        return None
    return Record(
        stream=message.stream,
        seq=message.seq,
        type=name,
        stored_at=stored_at(message),
        body=body,
        looked_up=looked_up,
    )


def stored_at(message: StoredMessage) -> float:
    """Return when the bus took a message, in seconds since 1970."""
    if message.stored_at is not None:
        return message.stored_at.timestamp()
    return message.envelope.time.timestamp() if message.envelope is not None else 0.0


class Shelf:
    """The newest records of one stream, bounded in number and bytes."""

    def __init__(self, records: int = SHELF_RECORDS, size_bytes: int = SHELF_BYTES) -> None:
        self._records: list[Record] = []
        self._room = records
        self._room_bytes = size_bytes
        self._bytes = 0

    def put(self, record: Record) -> int | None:
        """Keep a record; return the sequence of the last one that had to go for it, if any."""
        self._records.append(record)
        self._bytes += len(record.body)
        gone = 0
        while len(self._records) - gone > self._room or self._bytes > self._room_bytes:
            self._bytes -= len(self._records[gone].body)
            gone += 1
        if not gone:
            return None
        last = self._records[gone - 1].seq
        del self._records[:gone]
        return last

    def after(self, seq: int) -> Iterator[Record]:
        """Yield what is kept behind a sequence."""
        start = bisect_right(self._records, seq, key=lambda record: record.seq)
        for index in range(start, len(self._records)):
            yield self._records[index]

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._bytes = 0
