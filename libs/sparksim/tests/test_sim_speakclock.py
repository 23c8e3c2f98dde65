"""The speaking clock: what is said is heard, through every codec and over every other voice."""

import io
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_sim.speakclock.conversation import Plan, Speaker, converse, speakers, words_of
from spark_sim.speakclock.listener import Listener, hear, hear_all
from spark_sim.speakclock.mixing import SpokenWord, blocks, in_a_row, mixed, noisy, side_by_side
from spark_sim.speakclock.seglst import seglst
from spark_sim.speakclock.sound_files import Kind, encoded, read, read_pieces, write
from spark_sim.speakclock.tones import BANDS, MOST_BYTES, bytes_of, sound_of

PLAN = Plan(seconds=20, speakers=speakers(4), overlap=0.4, seed=7)


@pytest.fixture(scope="module")
def said() -> list[SpokenWord]:
    return words_of(converse(PLAN))


@pytest.fixture(scope="module")
def sound(said: list[SpokenWord]):
    return mixed(said, PLAN.seconds)


def pairs(words) -> Counter[tuple[str, int]]:
    return Counter((word.text, word.band) for word in words)


def test_the_tones_are_those_that_other_programs_know() -> None:
    said = sound_of("Hi", 3)
    assert len(said) == 7 * 512 + 256
    peaks = np.abs(np.fft.rfft(said[: 7 * 512].reshape(7, 512), 16_000, axis=1)).argmax(1)
    check = (ord("H") + ord("i")) * 7 % 256
    halves = [16, 4, 8, 6, 9, check >> 4, check & 15]
    assert peaks.tolist() == pytest.approx([350 + 3 * 900 + 50 * half for half in halves], abs=2)


WAYS = [
    (Kind.WAV, {}),
    (Kind.PIPED_WAV, {"rate": 48_000, "channels": 2}),
    (Kind.MULAW, {}),
    (Kind.FLAC, {"rate": 44_100}),
    (Kind.MP3, {"bit_rate": 32_000}),
    (Kind.MP3, {"bit_rate": 128_000, "rate": 44_100, "channels": 2}),
    (Kind.M4A, {"bit_rate": 48_000}),
    (Kind.AAC, {"bit_rate": 48_000}),
    (Kind.WEBM, {"bit_rate": 24_000}),
    (Kind.LIVE_WEBM, {"bit_rate": 32_000}),
    (Kind.OPUS, {"bit_rate": 64_000}),
]


@pytest.mark.parametrize(("kind", "how"), WAYS, ids=lambda value: str(value))
def test_every_word_is_heard_through_every_codec(kind, how, said, sound) -> None:
    came = read(encoded(kind, sound, **how))
    heard = hear(came.samples)
    assert pairs(heard) == pairs(said)
    assert came.seconds == pytest.approx(PLAN.seconds, abs=0.2)
    shifts = []
    for word in said:
        near = [h for h in heard if (h.text, h.band) == (word.text, word.band)]
        shifts.append(min((h.start - word.start for h in near), key=abs))
    middle = float(np.median(shifts))
    assert abs(middle) < 0.1, "codecs delay a little"
    assert max(abs(one - middle) for one in shifts) <= 0.016


def test_noise_and_bleed_lose_hardly_a_word_and_invent_none(said, sound) -> None:
    for snr in (20, 10):
        heard = pairs(hear(next(iter(noisy([sound], snr)))))
        assert not heard - pairs(said)
        assert sum((pairs(said) - heard).values()) <= 0.02 * len(said)
    quiet = [word.copied(0.09, -20) for word in said]
    heard = hear(mixed(quiet, PLAN.seconds))
    assert pairs(heard) == pairs(said)
    assert heard[0].level == pytest.approx(0.012, rel=0.15)
    rubbish = np.random.default_rng(1).normal(0, 0.2, 16_000 * 20).astype(np.float32)
    assert hear(rubbish) == []
    assert hear(np.zeros(5, np.float32)) == []


def test_two_channels_stay_apart(said) -> None:
    left = [word for word in said if word.band == 0]
    right = [word for word in said if word.band != 0]
    both = np.concatenate(list(side_by_side(blocks(left, 20), blocks(right, 20))))
    assert both.shape == (320_000, 2)
    stereo = encoded(Kind.FLAC, both, channels=2)
    assert read(stereo).channels == 2
    assert pairs(hear(both[:, 0])) == pairs(left)
    assert pairs(hear(read(stereo).samples)) == pairs(said), "mixed down it is all there"


def test_pieces_are_heard_as_the_whole_is(sound) -> None:
    whole = hear(sound)
    chance = random.Random(3)
    cuts = sorted(chance.randrange(len(sound)) for _ in range(60))
    pieces = [sound[a:b] for a, b in zip([0, *cuts], [*cuts, len(sound)], strict=True)]
    assert list(hear_all(pieces)) == whole


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=70),
        min_size=1, max_size=4,
    ),
    st.integers(0, BANDS - 1),
)  # fmt: skip
def test_any_word_comes_back_unless_it_is_too_long(texts: list[str], band: int) -> None:
    heard = hear(mixed(in_a_row(" ".join(texts), band)))
    assert [word.text for word in heard] == [bytes_of(text).decode() for text in texts]
    assert all(word.band == band for word in heard)
    assert all(len(word.text.encode()) <= MOST_BYTES for word in heard)


def test_a_conversation_is_what_was_planned() -> None:
    late = Speaker("Bob", 5, joins_at=100, leaves_at=150)
    plan = Plan(seconds=200, speakers=(*speakers(2), late), overlap=0.3, seed=5)
    turns = converse(plan)
    assert turns == converse(plan)
    own = [turn for turn in turns if turn.speaker == "Bob"]
    assert 100 <= own[0].start < 130
    assert own[-1].end <= 150
    assert {turn.speaker for turn in turns} == {"Speaker A", "Speaker B", "Bob"}
    for name in ("Speaker A", "Speaker B", "Bob"):
        words = words_of([turn for turn in turns if turn.speaker == name])
        gaps = [b.start - a.end for a, b in pairwise(words)]
        assert min(gaps) >= 0.015, "nobody speaks over himself"
    assert any(a.end > b.start for a, b in pairwise(turns))
    truth = seglst(turns, "talk")
    assert truth[0]["session_id"] == "talk"
    assert sum(len(row["words"].split()) for row in truth) == len(words_of(turns))
    assert 1.5 < len(words_of(turns)) / 200 < 3


def test_hours_are_written_and_read_in_pieces(tmp_path) -> None:
    plan = Plan(seconds=120, speakers=speakers(2), overlap=0)
    words = words_of(converse(plan))
    write(tmp_path / "long.flac", Kind.FLAC, blocks(words, 120))
    listener, heard, most = Listener(), 0, 0
    for piece in read_pieces(tmp_path / "long.flac"):
        assert len(piece) < 10 * 16_000
        heard += len(listener.feed(piece))
        most = max(most, len(listener._frames.best))
    assert heard + len(listener.finish()) == len(words)
    assert most < 10 * 125, "of everything before it is kept nothing"


def test_what_a_pipe_and_a_browser_write_says_no_length(sound) -> None:
    assert encoded(Kind.PIPED_WAV, sound)[4:8] == b"\xff\xff\xff\xff"
    import av

    with av.open(io.BytesIO(encoded(Kind.LIVE_WEBM, sound))) as container:
        assert container.duration is None


def test_the_simulator_starts_without_what_sound_needs() -> None:
    heavy = "import sys, spark_sim.cluster; print({'numpy', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
