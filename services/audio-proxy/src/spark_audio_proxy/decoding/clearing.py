"""A microphone's recording without what the loudspeaker said, from disk to disk."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from spark_audio_proxy.decoding.drift import MOST_SIGHTS, WINDOW, Sight, drift_in, sight_of
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
_CLOCK_SECONDS: Final = 600
"""Within this much of the beginning it is looked how fast the clocks part."""
_TAPS: Final = 16
"""Samples from which one between them is told."""


def clear(order: ClearOrder, progress: Callable[[float], None]) -> dict[str, Any]:
    """Write the cleared recording and its energies; return what became of it.

    ``measures``: the fields of ``Measures`` that samples tell; ``lag``: seconds by which the
    echo came later at the beginning, None where there is none; ``taken_db``: by how much all
    became quieter; ``drift``: seconds a second by which it came later and later.
    ``progress`` is told now and then how many seconds are done.
    """
    with ExitStack() as opened:
        local = opened.enter_context(Path(order.local).open("rb"))
        remote = opened.enter_context(Path(order.remote).open("rb"))
        track = Track(order.target, opened)
        drift = drift_in(_sights(local, remote, order.samples))
        echo = _learned(local, remote, order.samples, drift)
        way, lag, before, after = echo.way(), None, 1e-9, 1e-9
        real = False
        for number, (heard, sent) in enumerate(_blocks(local, remote, order.samples, drift)):
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
        measures = track.meter.measures()
        return {"measures": measures, "lag": lag, "taken_db": taken, "drift": drift}


def _sights(local: BinaryIO, remote: BinaryIO, samples: int) -> list[Sight]:
    """Look at the way to the microphone where the other side first speaks."""
    sights: list[Sight] = []
    for start in range(0, min(samples - WINDOW + 1, _CLOCK_SECONDS * RATE), WINDOW):
        sent = _samples(remote, start, WINDOW)
        if sent @ sent > _AUDIBLE * WINDOW:
            seen = sight_of(_samples(local, start, WINDOW), sent, start / RATE)
            sights += [] if seen is None else [seen]
        if len(sights) == MOST_SIGHTS:
            break
    return sights


def _learned(local: BinaryIO, remote: BinaryIO, samples: int, drift: float) -> EchoFilter:
    """Return a filter that has heard the other side for a minute, over again where it is less."""
    echo, audible = EchoFilter(), 0
    for _ in range(_ROUNDS):
        for heard, sent in _blocks(local, remote, samples, drift):
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


def _blocks(
    local: BinaryIO, remote: BinaryIO, samples: int, drift: float
) -> Iterator[tuple[Floats, Floats]]:
    """Yield both channels in blocks, the remote one ``LEAD`` samples ahead, silence at its end.

    The remote one is told at the pace of the microphone's clock.
    """
    for start in range(0, samples, BLOCK):
        heard = _samples(local, start, BLOCK)
        if drift:
            yield heard, _between(remote, start * (1 - drift) + LEAD, 1 - drift)
        else:
            yield heard, _samples(remote, start + LEAD, BLOCK)


def _between(file: BinaryIO, start: float, pace: float) -> Floats:
    """Return a block whose samples lie ``pace`` of those in the file apart."""
    at = start + pace * np.arange(BLOCK)
    first = math.floor(start) - _TAPS // 2 + 1
    found = _samples(file, first, BLOCK + _TAPS + 2)
    whole = np.floor(at).astype(np.int64) - first - _TAPS // 2 + 1
    taps = np.arange(_TAPS)
    away = taps - (_TAPS // 2 - 1) - (at - np.floor(at))[:, None]
    weights = np.sinc(away) * np.cos(np.pi * away / (_TAPS + 2)) ** 2
    block: Floats = (found[whole[:, None] + taps] * weights).sum(axis=1)
    return block


def _samples(file: BinaryIO, start: int, count: int) -> Floats:
    """Return some samples, -1 to 1; silence before the file and after it."""
    before = min(max(0, -start), count)
    file.seek(max(0, start) * SAMPLE_BYTES)
    found = np.frombuffer(file.read((count - before) * SAMPLE_BYTES), "<i2")
    block = np.zeros(count)
    block[before : before + len(found)] = found / _FULL
    return block
