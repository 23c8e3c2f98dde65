"""A disk without room is nobody's mistake: who sent the recording may send it again."""

import errno
from typing import Final

from spark_audio_proxy.problems import SpeechError

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT))


def no_room() -> SpeechError:
    """Return the refusal of a recording that the disk has no place for."""
    return SpeechError("no_room", "there is not enough disk here to take the recording in")


def is_full(error: OSError) -> bool:
    """Whether a disk could not take what was written."""
    return error.errno in _FULL
