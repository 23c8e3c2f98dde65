"""Whether a piece was spoken to its end: Kokoro leaves out what fails, and says nothing of it.

It swallows an error within a piece and ends the answer as if all was well. So the length of the
sound is compared with that of the text: nobody speaks as fast as a piece that was cut short.
"""

import re
from typing import Final

_FASTEST_SPEECH: Final = 0.035
"""Seconds a letter: twice as fast as people speak."""
_SUSPICIOUS: Final = 0.6
"""Share of the fastest pace that a voice was ever heard at."""
_FEWEST: Final = 24
"""Letters from which a pace can be told."""
_MOST_VOICES: Final = 256
_RUN = re.compile(r"(\w)\1{2,}")
_LATIN_ENDS: Final = "\u024f"
_READS_ALL: Final = frozenset("hjz")
"""First letters of Kokoro's voices for scripts other than the Latin one."""


def letters(text: str, voice: str = "") -> int:
    """Count what a voice must pronounce: letters and digits, repeated ones ("nooo") once or twice.

    A script that the voice may not know counts nothing.
    """
    all_scripts = voice[:1] in _READS_ALL or voice.startswith("Magpie-")
    shorter = _RUN.sub(r"\1\1", text)
    return sum(each.isalnum() and (all_scripts or each <= _LATIN_ENDS) for each in shorter)


class Paces:
    """The fastest that each voice was heard to speak, at ordinary speed."""

    def __init__(self) -> None:
        self._fastest: dict[str, float] = {}

    def is_whole(self, text: str, voice: str, speed: float, seconds: float) -> bool:
        """Judge a piece by its length in seconds, and learn from one that was whole."""
        count = letters(text, voice)
        if seconds <= 0:
            return count == 0
        if count < _FEWEST:
            return True
        pace = seconds * speed / count
        known = self._fastest.get(voice)
        if pace < max(_FASTEST_SPEECH, (known or 0) * _SUSPICIOUS):
            return False
        if known is None and len(self._fastest) >= _MOST_VOICES:
            self._fastest.clear()
        self._fastest[voice] = min(pace, known or pace)
        return True
