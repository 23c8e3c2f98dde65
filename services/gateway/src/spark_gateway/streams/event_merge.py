"""Events of several streams in one order, a page at a time. Pure: no clock, no bus."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spark_gateway.streams.event_cursor import Place, Places
from spark_gateway.streams.event_record import Record

PAGE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Candidates:
    """What one stream has behind a place, in its order."""

    place: Place
    records: Sequence[Record]
    read_to: int
    """Nothing wanted lies behind the last of ``records`` and up to this sequence."""


@dataclass(frozen=True)
class Page:
    """Some events, and the places behind each and behind all of them."""

    records: Sequence[Record]
    after: Places
    """Where the next page begins."""
    begun: Places
    """Where this page began: behind resets, if there were any."""
    more: bool = False
    """It was cut: the next page is there already."""
    waiting: bool = False
    """What came a moment ago is held back until nothing older can come any more."""
    reset: tuple[str, ...] = ()
    """Streams in which something may be missing before these events."""


def merge(
    kept: Places,
    candidates: Mapping[str, Candidates],
    limit: int,
    horizon: float,
    reset: tuple[str, ...] = (),
) -> Page:
    """Return the oldest ``limit`` records, at most a megabyte of them.

    Ends before the first record that the bus stored after ``horizon``: something older may still
    be on its way in another stream. ``kept`` are places of streams nobody asked for.
    """
    begun = {**kept, **{stream: each.place for stream, each in candidates.items()}}
    after = dict(begun)
    taken: list[Record] = []
    size, more, waiting = 0, False, False
    for record in heapq.merge(*(each.records for each in candidates.values()), key=_order):
        if record.stored_at > horizon and not record.looked_up:
            waiting = True
            break
        if len(taken) == limit or (taken and size + len(record.body) > PAGE_BYTES):
            more = True
            break
        taken.append(record)
        size += len(record.body)
        after[record.stream] = Place(after[record.stream].epoch, record.seq)
    if not (more or waiting):
        for stream, each in candidates.items():
            last = max(each.read_to, after[stream].seq)
            after[stream] = Place(after[stream].epoch, last)
    return Page(tuple(taken), after, begun, more=more, waiting=waiting, reset=reset)


def _order(record: Record) -> tuple[float, str, int]:
    return record.order
