"""A microphone's recording without what the loudspeaker said, from disk to disk."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from spark_audio_proxy.decoding.echo import BLOCK, LEAD, EchoFilter, Floats
from spark_audio_proxy.decoding.sound import RATE, SAMPLE_BYTES, ClearOrder
from spark_audio_proxy.decoding.track import Track

_FULL: Final = 32_768.0
_LEARN_BLOCKS: Final = 60 * RATE // BLOCK
"""A minute of the other side is heard twice, so that its words are clear as well."""
_ROUNDS: Final = 3
_AUDIBLE: Final = 1e-6
"""Mean square of a block in which the other side says something."""
_LOOK_BLOCKS: Final = 5 * RATE // BLOCK
"""So often it is asked whether there is an echo at all."""
_SAME_WAY: Final = 0.05
"""Seconds: an echo is found where two looks find the same one."""


def clear(order: ClearOrder, progress: Callable[[float], None]) -> dict[str, Any]:
    """Write the cleared recording and its energies; return what became of it.

    ``measures``: the fields of ``Measures`` that samples tell; ``lag``: seconds by which the
    echo came later, None where there is none; ``taken_db``: by how much all became quieter.
    ``progress`` is told now and then how many seconds are done.
    """
    with ExitStack() as opened:
        local = opened.enter_context(Path(order.local).open("rb"))
        remote = opened.enter_context(Path(order.remote).open("rb"))
        track = Track(order.target, opened)
        echo = _learned(local, remote, order.samples)
        way, lag, before, after = echo.way(), None, 1e-9, 1e-9
        real = False
        for number, (heard, sent) in enumerate(_blocks(local, remote, order.samples)):
            cleared = echo.cleared(heard, sent)
            if number % _LOOK_BLOCKS == 0:
                seen, way = way, echo.way()
                real = way.is_real and seen.is_real and abs(way.lag - seen.lag) < _SAME_WAY
                progress(number * BLOCK / RATE)
            # Nobody's words are touched where there is nothing to take out.
            out = cleared if real else heard
            lag = way.lag if real else lag
            before, after = before + float(heard @ heard), after + float(out @ out)
            samples = np.rint(out[: order.samples - number * BLOCK] * _FULL)
            track.write(np.clip(samples, -_FULL, _FULL - 1).astype(np.int16))
        track.finish()
        taken = 10 * math.log10(before / after)
        return {"measures": track.meter.measures(), "lag": lag, "taken_db": taken}


def _learned(local: BinaryIO, remote: BinaryIO, samples: int) -> EchoFilter:
    """Return a filter that has heard the other side for a minute, over again where it is less."""
    echo, audible = EchoFilter(), 0
    for _ in range(_ROUNDS):
        for heard, sent in _blocks(local, remote, samples):
            speaks = bool(sent @ sent > _AUDIBLE * BLOCK)
            if speaks or audible:
                echo.cleared(heard, sent)
            audible += speaks
            if audible == _LEARN_BLOCKS:
                break
        echo.forget_sound()
        if audible in (0, _LEARN_BLOCKS):
            break
    return echo


def _blocks(local: BinaryIO, remote: BinaryIO, samples: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield both channels in blocks, the remote one ``LEAD`` samples ahead, silence at its end."""
    local.seek(0)
    remote.seek(LEAD * SAMPLE_BYTES)
    for _ in range(0, samples, BLOCK):
        yield _block(local), _block(remote)


def _block(file: BinaryIO) -> Floats:
    found = np.frombuffer(file.read(BLOCK * SAMPLE_BYTES), "<i2")
    block = np.zeros(BLOCK)
    block[: len(found)] = found / _FULL
    return block
