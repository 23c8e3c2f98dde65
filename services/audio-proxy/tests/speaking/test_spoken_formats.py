"""The forms in which sound goes out, and what is kept of it."""

import io
import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from spark_audio_proxy.speaking.asked import FORMATS, Format
from spark_audio_proxy.speaking.cache import Cache, key_of
from spark_audio_proxy.speaking.encoding import RATE, encoder_for
from spark_audio_proxy.speaking.engines import Manner
from spark_audio_proxy.speaking.framing import encoded, sized

SECONDS = 2.0
TONE = (8000 * np.sin(np.arange(int(SECONDS * RATE)) / 8)).astype("<i2").tobytes()


async def _whole(form: Format) -> bytes:
    async def samples() -> Any:
        for at in range(0, len(TONE), 10_000):
            yield TONE[at : at + 10_000]

    return b"".join([data async for data in encoded(samples(), form)])


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "pcm"])
async def test_every_format_can_be_played(form: Format) -> None:
    for whole in {await _whole(form), sized(form, await _whole(form))}:
        with av.open(io.BytesIO(whole)) as opened:
            frames = list(opened.decode(audio=0))
        assert {len(frame.layout.channels) for frame in frames} == {1}
        length = sum(frame.samples / frame.sample_rate for frame in frames)
        assert length == pytest.approx(SECONDS, abs=0.1)
        loud = np.concatenate(
            [np.abs(frame.to_ndarray().astype(float)).ravel() for frame in frames]
        )
        assert loud.mean() > 0.1 * loud.max()


async def test_pcm_is_the_samples_themselves() -> None:
    assert await _whole("pcm") == TONE


async def test_a_stream_says_that_it_has_no_size_and_a_whole_file_its_own() -> None:
    streamed = await _whole("wav")
    assert streamed[4:8] == streamed[40:44] == b"\xff\xff\xff\xff"
    whole = sized("wav", streamed)
    assert int.from_bytes(whole[40:44], "little") == len(TONE) == len(whole) - 44
    assert int.from_bytes(whole[4:8], "little") == len(whole) - 8


def test_the_first_sound_is_out_before_the_last_is_spoken() -> None:
    for form in FORMATS:
        encoder = encoder_for(form)
        first = b"".join(encoder.feed(TONE[at : at + 4800]) for at in range(0, 24_000, 4800))
        assert len(first) > 500, form


def test_mp3_has_no_frame_that_tells_a_wrong_length() -> None:
    encoder = encoder_for("mp3")
    made = encoder.feed(TONE) + encoder.finish()
    assert b"Xing" not in made
    assert b"Info" not in made[:500]


def test_what_was_not_heard_for_longest_makes_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "spoken", lambda: 1000)
    for age, name in ((30, "a" * 64), (20, "b" * 64), (10, "c" * 64)):
        cache.put(name, bytes(300))
        os.utime(tmp_path / "spoken" / name, (age, 1_000_000 - age))
    assert cache.get("a" * 64) is not None
    cache.put("d" * 64, bytes(300))
    assert cache.get("b" * 64) is None
    assert cache.get("a" * 64) == cache.get("c" * 64) == cache.get("d" * 64) == bytes(300)


def test_nothing_is_kept_unless_the_owner_wants_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "spoken", lambda: 0)
    cache.put("a" * 64, b"sound")
    assert cache.get("a" * 64) is None
    assert not (tmp_path / "spoken").exists()


def test_a_disk_that_takes_nothing_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file", lambda: 1000)
    cache.put("a" * 64, b"sound")
    assert cache.get("a" * 64) is None


def test_every_difference_makes_another_key() -> None:
    manner = Manner("af_sky", 1.0)
    keys = {
        key_of("kokoro", manner, "mp3", "text"),
        key_of("magpie", manner, "mp3", "text"),
        key_of("kokoro", Manner("af_sky", 1.5), "mp3", "text"),
        key_of("kokoro", Manner("af_sky", 1.0, {"lang_code": "e"}), "mp3", "text"),
        key_of("kokoro", manner, "wav", "text"),
        key_of("kokoro", manner, "mp3", "texts"),
    }
    assert len(keys) == 6
