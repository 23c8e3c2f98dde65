"""Sound for tests."""

import io
import math
import wave
from array import array

TONE = array("h", (round(9000 * math.sin(n / 9)) for n in range(12_000)))
"""Half a second at 24 kHz."""
SILENCE = array("h", bytes(24_000))


def wav(samples: "array[int]", rate: int = 24_000) -> bytes:
    """Return samples of 16 bit as a WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()
