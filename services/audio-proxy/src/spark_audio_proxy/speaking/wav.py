"""The head of a WAV file."""

import struct
from typing import Final

STREAMED: Final = 0xFFFFFFFF
"""Size of what nobody knows the end of; players read on until there is no more."""
HEAD_BYTES: Final = 44


def wav_head(size: int, rate: int) -> bytes:
    """Return the head before ``size`` bytes of samples: mono, 16 bit."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        min(STREAMED, size + HEAD_BYTES - 8),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate,
        2 * rate,
        2,
        16,
        b"data",
        size,
    )
