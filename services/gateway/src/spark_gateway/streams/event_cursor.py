"""Where a reader of all events stands: a place in every stream, as one opaque word."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from spark_common.errors import InvalidRequestError

_LETTERS = {
    "SC_SWAP_EVT": "o",
    "SC_SWAP_ADM": "a",
    "SC_JOB_EVT": "j",
    "SC_LEASE_EVT": "l",
    "SC_SCHED_EVT": "s",
    "SC_HEALTH": "h",
}
_STREAMS = {letter: stream for stream, letter in _LETTERS.items()}
_FORM = re.compile(r"1(?:-[a-z][0-9a-f]{8}[0-9a-z]{1,13})*\Z")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH = slice(1, 9)


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to ``seq`` of one incarnation of a stream was told."""

    epoch: str
    """A short digest of when the stream was created."""
    seq: int


Places = Mapping[str, Place]
"""By stream; one that is missing is read from its oldest kept message."""


def digest(epoch: str) -> str:
    """Return the short form of an epoch."""
    return hashlib.blake2s(epoch.encode(), digest_size=4).hexdigest()


def write_cursor(places: Places) -> str:
    """Return the word for some places: letters, digits and ``-``, safe in an address."""
    parts = [
        f"{letter}{places[stream].epoch}{_base36(places[stream].seq)}"
        for stream, letter in _LETTERS.items()
        if stream in places
    ]
    return "-".join(["1", *parts])


def read_cursor(word: str) -> Places:
    """Return the places of a word; raises InvalidRequestError for what no answer contained."""
    if not _FORM.match(word):
        raise InvalidRequestError(
            "this is not a cursor: pass `next` of an earlier answer, `now`, or nothing"
        )
    places = {}
    for part in word.split("-")[1:]:
        stream = _STREAMS.get(part[0])
        if stream is not None:
            places[stream] = Place(part[_EPOCH], int(part[9:], 36))
    return places


def _base36(number: int) -> str:
    digits = ""
    while number >= 36:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return _DIGITS[number] + digits
