"""Whether two channels really are two sides of a talk."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spark_audio_proxy.dual.detection import compared

RANDOM = np.random.default_rng(1)
ONE = (RANDOM.standard_normal(40_000) * 3000).astype(np.int16)
OTHER = (RANDOM.standard_normal(40_000) * 3000).astype(np.int16)


@pytest.mark.parametrize(
    ("left", "right", "two_sides"),
    [
        (ONE, OTHER, True),
        (ONE, ONE, False),
        (ONE, (ONE * 0.5).astype(np.int16), False),
        (ONE, np.zeros_like(ONE), False),
        (ONE, (OTHER * 0.01).astype(np.int16), True),
        (ONE, (OTHER / 1000).astype(np.int16), False),
        (ONE[:0], OTHER, False),
        (ONE[:20_000], np.concatenate((ONE[:20_000] * 0, OTHER[20_000:])), True),
        (ONE[:20_000], ONE, True),
        (np.full_like(ONE, 9000), OTHER, False),
    ],
    ids=[
        "two",
        "same",
        "same but quieter",
        "silent",
        "quiet",
        "noise",
        "nothing",
        "one after the other",
        "same and more",
        "constant",
    ],
)
def test_two_sides(left: NDArray[np.int16], right: NDArray[np.int16], two_sides: bool) -> None:
    assert compared(left, right).are_two_sides is two_sides
    assert compared(right, left).are_two_sides is two_sides


def test_more_than_a_piece_is_read_piece_by_piece() -> None:
    long = np.tile(ONE, 60)
    both = compared(long, np.tile(OTHER, 60))
    short = compared(ONE, OTHER)
    assert both.correlation == pytest.approx(short.correlation, abs=1e-9)
    assert not both.quiet


def test_a_constant_is_no_sound_however_loud() -> None:
    assert compared(np.full_like(ONE, 30_000), OTHER).louder == 1
    assert compared(ONE, np.zeros_like(ONE)).louder == 0
