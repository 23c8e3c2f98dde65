"""Whether a file that was decoded without an error ends before it should have."""

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from av.container import InputContainer

_MISSED_SECONDS: Final = 1.0
_MISSED_SHARE: Final = 0.02
_TELL_THEIR_LENGTH: Final = frozenset(("flac", "matroska", "mov", "wav", "webm"))
"""Containers whose head has a length that was counted, where others have one that is guessed."""
_COUNTED_IN_MP3: Final = (b"Xing", b"Info", b"VBRI")
"""What stands in the first frame of an MP3 whose writer counted its frames; else it is guessed."""
_FIRST_FRAME: Final = 2048
"""Bytes."""
_SIZE_NOT_KNOWN: Final = 0x7FFFFF00
"""From here on the size of a WAV's samples was written before they were."""
_LARGEST_PAGE: Final = 27 + 255 + 255 * 255
"""Bytes of a page of Ogg."""
_FEWEST_MISSED: Final = 4096
"""Bytes: sizes of a WAV are off by a head or two."""
_SEGMENT: Final = 0x18538067
_MOST_ELEMENTS: Final = 1_000_000
"""Five hours of a browser's blocks; a file with more is not looked through."""
_LONGEST_HEAD: Final = 12
"""Bytes of an identifier and a size."""


def ends_early(source: BinaryIO, container: InputContainer, heard: float) -> bool:
    """Whether a file has less sound than it says, or stops within a block.

    ``heard``: seconds that were decoded.
    """
    names = set(container.format.name.split(","))
    told = container.duration
    counted = names & _TELL_THEIR_LENGTH or ("mp3" in names and _has_counted_frames(source))
    # A second stream may be longer than the sound; a picture on the cover is none.
    alone = sum(stream.type in ("audio", "video") for stream in container.streams) == 1
    if told is not None and counted and alone:
        missed = told / 1_000_000 - heard
        if missed > max(_MISSED_SECONDS, _MISSED_SHARE * heard):
            return True
    return any(stops(source) for name, stops in _STOPS_EARLY.items() if name in names)


def _has_counted_frames(source: BinaryIO) -> bool:
    """Whether an MP3 says of how many frames it is, behind the tags before it."""
    source.seek(0)
    head = source.read(10)
    tags = 0
    if head[:3] == b"ID3" and len(head) == 10:
        # Seven bits of each byte.
        tags = 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    source.seek(tags)
    first = source.read(_FIRST_FRAME)
    return any(mark in first for mark in _COUNTED_IN_MP3)


def _stops_within_its_samples(source: BinaryIO) -> bool:
    """Walk the chunks of a WAV to its samples: there are as many as it says."""
    size, at = source.seek(0, 2), 12
    for _ in range(_MOST_ELEMENTS):
        source.seek(at)
        head = source.read(8)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[4:], "little")
        content = at + 8
        if head[:4] == b"data":
            there = size - content
            missed = length - there
            return length < _SIZE_NOT_KNOWN and missed > max(_FEWEST_MISSED, _MISSED_SHARE * there)
        at = content + length + length % 2
    return False


def _stops_within_a_page(source: BinaryIO) -> bool:
    """Look at the last page of an Ogg file: it ends where the file does, or before."""
    size = source.seek(0, 2)
    source.seek(max(0, size - _LARGEST_PAGE))
    tail = source.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return False
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    table = page[27 : 27 + segments]
    return len(table) < segments or len(page) < 27 + segments + sum(table)


def _stops_within_a_block(source: BinaryIO) -> bool:
    """Walk the elements of a Matroska file: the last one ends where the file does.

    What browsers record says neither its length nor where its clusters end.
    """
    size, at = source.seek(0, 2), 0
    for _ in range(_MOST_ELEMENTS):
        if at >= size:
            break
        source.seek(at)
        head = source.read(_LONGEST_HEAD)
        name_bytes = _length_of(head, 0)
        size_bytes = _length_of(head, name_bytes)
        if not name_bytes or not size_bytes:
            # Too little is left for a head, or what follows is no Matroska any more.
            return len(head) < _LONGEST_HEAD
        name = int.from_bytes(head[:name_bytes])
        content = at + name_bytes + size_bytes
        bits = 7 * size_bytes
        length = int.from_bytes(head[name_bytes : name_bytes + size_bytes]) & ((1 << bits) - 1)
        known = length != (1 << bits) - 1
        if known and content + length > size:
            return True
        # A segment is made of clusters and more; clusters of an unknown length of their blocks.
        inside = name == _SEGMENT or not known
        at = content if inside else content + length
    return False


def _length_of(head: bytes, at: int) -> int:
    """Return of how many bytes the number at a place is; 0 where there is none."""
    if at >= len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()
    return length if at + length <= len(head) else 0


_STOPS_EARLY: Final[Mapping[str, Callable[[BinaryIO], bool]]] = {
    "matroska": _stops_within_a_block,
    "ogg": _stops_within_a_page,
    "wav": _stops_within_its_samples,
}
