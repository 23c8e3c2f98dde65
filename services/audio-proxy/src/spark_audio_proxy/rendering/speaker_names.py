"""Speakers as OpenAI writes them: a known person by name, everybody else by a letter."""

import re
from collections.abc import Iterable, Iterator
from itertools import count

from spark_audio_proxy.speech import Block

UNKNOWN = "UNKNOWN"
"""Where a format wants a speaker and nobody can be told."""
_ANONYMOUS = re.compile(r"Speaker_\d+")


def shown_names(blocks: Iterable[Block]) -> dict[str | None, str]:
    """Return the name to show for each speaker of the blocks; letters in order of appearance."""
    speakers = dict.fromkeys(block.speaker for block in blocks)
    known = {name for name in speakers if name is not None and not _ANONYMOUS.fullmatch(name)}
    free = (letters for letters in _letters() if letters not in known)
    shown: dict[str | None, str] = {None: UNKNOWN}
    for speaker in speakers:
        if speaker is not None:
            shown[speaker] = speaker if speaker in known else next(free)
    return shown


def _letters() -> Iterator[str]:
    """Yield A to Z, then AA, AB, ..."""
    for number in count(1):
        letters = ""
        while number:
            number, digit = divmod(number - 1, 26)
            letters = chr(ord("A") + digit) + letters
        yield letters
