"""Two channels whose clocks run apart: after two hours a word is 0.7 s late, and still an echo."""

import numpy as np
import pytest

from spark_audio_proxy.dual.clocks import loudness_at_pace, turns_at_pace, words_at_pace
from spark_audio_proxy.dual.merge import Sides, merge_sides
from spark_audio_proxy.loudness import Loudness
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment, Word

PACE, LAG = 1.0001, 0.15
RANDOM = np.random.default_rng(5)
REMOTE = tuple(
    Word(str(RANDOM.choice(["kettle", "water", "number", "server", "budget"])), at, at + 0.4)
    for at in np.arange(1.0, 7200.0, 8.0).tolist()
)


def test_an_echo_is_one_at_the_end_of_a_long_talk_as_well() -> None:
    heard = [Word(word.text, word.start * PACE + LAG, word.end * PACE + LAG) for word in REMOTE]
    mine = Word("right", 7199.0, 7199.3)
    apart = merge_sides(Sides([*heard, mine], REMOTE, "Alice"))
    assert sum(word.speaker == "Alice" for word in apart.words) > len(REMOTE) / 4
    together = merge_sides(Sides([*heard, mine], words_at_pace(REMOTE, PACE), "Alice"))
    assert [word.text for word in together.words if word.speaker == "Alice"] == ["right"]
    assert together.lag == pytest.approx(LAG, abs=0.01)


def test_turns_frames_and_loudness_keep_to_the_words() -> None:
    frames = FrameProbabilities(("x",), np.ones((100, 1), np.float32), 0.08, 100.0)
    turn = SpeakerSegment(1000.0, 2000.0, "x", 0.5)
    told = turns_at_pace(Diarization((turn,), 7200.0, frames), 1.01)
    assert told.segments == (SpeakerSegment(1010.0, 2020.0, "x", 0.5),)
    assert told.duration == pytest.approx(7272)
    assert told.frames is not None
    assert (told.frames.start, told.frames.frame_seconds) == pytest.approx((101.0, 0.0808))
    powers = np.arange(400, dtype=np.float32)
    assert loudness_at_pace(Loudness(powers), 1.01).between(2.02, 2.03)[0] == powers[200]
