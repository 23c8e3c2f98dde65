"""A stored event of a swap or job as clients get it, rendered once for all of them."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from spark_common.bus import StoredMessage
from spark_gateway.streams.sse import event_frame

PROGRESS = "SC_PROGRESS"
OUTCOMES = "SC_SWAP_EVT"


@dataclass(frozen=True, slots=True)
class StreamPair:
    """Two streams that tell one story: the steps, and how it ended."""

    progress: str
    outcomes: str


SWAPS = StreamPair(PROGRESS, OUTCOMES)
JOBS = StreamPair("SC_JOB_PROGRESS", "SC_JOB_EVT")

_LETTERS = {SWAPS.progress: "p", SWAPS.outcomes: "o", JOBS.progress: "q", JOBS.outcomes: "r"}
_OUTCOMES = frozenset({SWAPS.outcomes, JOBS.outcomes})


@dataclass(frozen=True, slots=True)
class Thread:
    """What all events of one swap or job have in common: ``swap``, ``download`` ... and the id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a thread. ``event_id`` names its place for ever: ``<epoch>-<sequence>``."""

    name: str
    thread: Thread
    event_id: str
    stream: str
    seq: int
    content: dict[str, JsonValue]
    frame: bytes

    @property
    def is_outcome(self) -> bool:
        """Whether the swap or job ended with this event."""
        return self.stream in _OUTCOMES


def event_id(stream: str, epoch: str, seq: int) -> str:
    """Return the SSE id of a stored message; the letter keeps the streams apart."""
    return f"{_LETTERS[stream]}{epoch}-{seq}"


def resume_after(last_event_id: str, stream: str, epoch: str, last_seq: int) -> int | None:
    """Return the sequence of ``stream`` that ``last_event_id`` names, or None for a foreign id."""
    prefix, _, number = last_event_id.rpartition("-")
    if prefix != f"{_LETTERS[stream]}{epoch}" or not (number.isascii() and number.isdigit()):
        return None
    if len(number) > 19 or int(number) > last_seq:
        return None
    return int(number)


def entry_of(message: StoredMessage) -> Entry | None:
    """Read a stored message; None for what carries no event (somebody published by hand)."""
    name, _, thread_id = message.subject.rpartition(".")
    if message.envelope is None or not name:
        return None
    place = event_id(message.stream, message.epoch, message.seq)
    content = message.envelope.data
    return Entry(
        name=name,
        thread=Thread(name.partition(".")[0], thread_id),
        event_id=place,
        stream=message.stream,
        seq=message.seq,
        content=content,
        frame=event_frame(name, json.dumps(content, separators=(",", ":")), place),
    )
