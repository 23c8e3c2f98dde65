"""Whether a file that was decoded without an error ends before it should have."""

from typing import BinaryIO, Final

from av.container import InputContainer

_MISSED_SECONDS: Final = 1.0
_MISSED_SHARE: Final = 0.02
_TELL_THEIR_LENGTH: Final = frozenset(("flac", "matroska", "mov", "wav", "webm"))
"""Containers whose head has a length that was counted, where others have one that is guessed."""
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
    if told is not None and names & _TELL_THEIR_LENGTH and len(container.streams) == 1:
        missed = told / 1_000_000 - heard
        if missed > max(_MISSED_SECONDS, _MISSED_SHARE * heard):
            return True
    return "matroska" in names and _stops_within_a_block(source)


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
