"""A stored event of a swap as clients get it, rendered once for all of them."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from spark_common.bus import StoredMessage
from spark_gateway.streams.sse import event_frame

PROGRESS = "SC_PROGRESS"
OUTCOMES = "SC_SWAP_EVT"

_LETTERS = {PROGRESS: "p", OUTCOMES: "o"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of one swap. ``event_id`` names its place for ever: ``<epoch>-<sequence>``."""

    name: str
    swap_id: str
    event_id: str
    stream: str
    seq: int
    content: dict[str, JsonValue]
    frame: bytes

    @property
    def is_outcome(self) -> bool:
        """Whether the swap ended with this event."""
        return self.stream == OUTCOMES


def event_id(stream: str, epoch: str, seq: int) -> str:
    """Return the SSE id of a stored message; the letter keeps the two streams apart."""
    return f"{_LETTERS[stream]}{epoch}-{seq}"


def resume_after(last_event_id: str, epoch: str, last_seq: int) -> int | None:
    """Return the progress sequence that ``last_event_id`` names, or None when it is foreign."""
    prefix, _, number = last_event_id.rpartition("-")
    if prefix != f"{_LETTERS[PROGRESS]}{epoch}" or not (number.isascii() and number.isdigit()):
        return None
    if len(number) > 19 or int(number) > last_seq:
        return None
    return int(number)


def entry_of(message: StoredMessage) -> Entry | None:
    """Read a stored message; None for what carries no event (somebody published by hand)."""
    name, _, swap_id = message.subject.rpartition(".")
    if message.envelope is None or not name:
        return None
    place = event_id(message.stream, message.epoch, message.seq)
    content = message.envelope.data
    return Entry(
        name=name,
        swap_id=swap_id,
        event_id=place,
        stream=message.stream,
        seq=message.seq,
        content=content,
        frame=event_frame(name, json.dumps(content, separators=(",", ":")), place),
    )
