"""Decoding in processes: that die, hang, are left, or were killed while nobody needed them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.decoding.sound import RATE, Sound
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.testing.stand import audio_stand
from spark_common.clock import SystemClock
from spark_common.tasks import end
from spark_common.testing.clock import FakeClock
from spark_common.testing.wait import until
from spark_sim.speakclock.sound_files import Kind, encoded

SECONDS = 2.0
TONE = (0.3 * np.sin(np.arange(int(RATE * SECONDS)) / 8)).astype(np.float32)
SILENCE = np.zeros(len(TONE), np.float32)


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[DecoderPool]:
    made = DecoderPool(1, SystemClock())
    yield made
    await made.close()


@pytest_asyncio.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Asks an audio-proxy that has nobody to ask."""
    async with audio_stand(None, tmp_path) as stand:
        yield stand.client


def children() -> set[int]:
    """Processes that decode for this one."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status, line = (entry / "stat").read_text(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            parent = int(status.rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"decoding.worker" in line:
                found.add(int(entry.name))
    return found


async def decode(pool: DecoderPool, folder: Path, data: bytes, **options) -> Sound:
    source = folder / "source"
    source.write_bytes(data)
    return await pool.decode(source, folder / "out", **{"max_seconds": 100.0, **options})


async def test_what_was_heard_is_measured(pool: DecoderPool, tmp_path: Path) -> None:
    sound = await decode(pool, tmp_path, encoded(Kind.WAV, TONE))
    assert sound.seconds == pytest.approx(SECONDS)
    assert sound.measures.peak_dbfs == pytest.approx(-10.5, abs=0.1)
    assert sound.measures.speech == 1.0
    assert sound.measures.correlation is None
    assert not sound.is_silent
    again = await decode(pool, tmp_path, encoded(Kind.FLAC, TONE))
    assert again.measures.sha256 == sound.measures.sha256
    quiet = await decode(pool, tmp_path, encoded(Kind.WAV, SILENCE))
    assert quiet.is_silent


async def test_channels_are_compared_and_kept_apart(pool: DecoderPool, tmp_path: Path) -> None:
    def stereo(left: np.ndarray, right: np.ndarray) -> bytes:
        return encoded(Kind.WAV, np.stack([left, right], axis=1), channels=2)

    both = await decode(pool, tmp_path, stereo(TONE, SILENCE), channels="both")
    assert [side.is_silent for side in both.sides] == [False, True]
    assert both.measures.quiet_channel
    same = await decode(pool, tmp_path, stereo(TONE, TONE))
    assert same.measures.correlation == pytest.approx(1.0)
    assert same.sides == ()
    # Opposite channels would be silence together; one of them is taken then.
    opposite = await decode(pool, tmp_path, stereo(TONE, -TONE))
    assert not opposite.is_silent


async def test_a_process_that_was_killed_meanwhile_is_replaced(
    pool: DecoderPool, tmp_path: Path
) -> None:
    wav = encoded(Kind.WAV, TONE)
    await decode(pool, tmp_path, wav)
    (kept,) = children()
    os.kill(kept, signal.SIGKILL)
    await until(lambda: kept not in children(), "it is gone")
    assert (await decode(pool, tmp_path, wav)).seconds == pytest.approx(SECONDS)


async def test_a_process_that_nobody_needs_is_given_back(tmp_path: Path) -> None:
    clock, wav = FakeClock(), encoded(Kind.WAV, TONE)
    pool = DecoderPool(2, clock)
    giving_back = asyncio.create_task(pool.run())
    try:
        await clock.advance(120)
        assert not children()
        await decode(pool, tmp_path, wav)
        (kept,) = children()
        await clock.advance(50)
        await decode(pool, tmp_path, wav)
        # A minute after its last order, not after its first.
        await clock.advance(50)
        assert children() == {kept}
        await clock.advance(30)
        await until(lambda: not children(), "it is given back")
        assert (await decode(pool, tmp_path, wav)).seconds == pytest.approx(SECONDS)
    finally:
        await end([giving_back])
        await pool.close()


async def test_a_process_begins_while_the_recording_is_on_its_way(
    tmp_path: Path, proxied: httpx.AsyncClient
) -> None:
    wav, begun = encoded(Kind.WAV, TONE), set[int]()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        await until(lambda: bool(children()), "a process begins")
        begun.update(children())
        yield wav + b"\r\n--b--\r\n"

    form = {"content-type": "multipart/form-data; boundary=b"}
    answer = await proxied.post("/v1/audio/transcriptions", content=slowly(), headers=form)
    assert answer.status_code == 503
    assert children() == begun


async def test_whoever_is_left_ends_with_its_work(pool: DecoderPool, tmp_path: Path) -> None:
    await decode(pool, tmp_path, encoded(Kind.WAV, TONE))
    before = children()
    fifo = tmp_path / "never.wav"
    os.mkfifo(fifo)
    hanging = asyncio.create_task(pool.decode(fifo, tmp_path / "out", max_seconds=9.0))
    await asyncio.sleep(0.05)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await until(lambda: not before & children(), "the process that hung is gone")
    sound = await decode(pool, tmp_path, encoded(Kind.WAV, TONE))
    assert sound.seconds == pytest.approx(SECONDS)


@pytest.mark.parametrize(
    "data", [b"RIFF", b"\x1aE\xdf\xa3" + bytes(200), b"OggS" + bytes(200), b"fLaC" + bytes(60)]
)
async def test_a_head_without_a_body_is_no_recording(
    pool: DecoderPool, tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(SpeechError) as refused:
        await decode(pool, tmp_path, data, param="local_file")
    assert refused.value.code in ("invalid_audio", "no_audio_stream")
    assert refused.value.param == "local_file"


async def test_what_is_too_long_is_counted_and_not_decoded(
    pool: DecoderPool, tmp_path: Path
) -> None:
    long = np.zeros(RATE * 20, np.float32)
    for kind in (Kind.FLAC, Kind.LIVE_WEBM, Kind.OPUS, Kind.MP3):
        with pytest.raises(SpeechError) as refused:
            await decode(pool, tmp_path, encoded(kind, long), max_seconds=10.0)
        assert refused.value.code == "audio_too_long"
        assert not (tmp_path / "out.pcm").exists()


async def test_hours_of_a_sample_a_second_are_no_sound(pool: DecoderPool, tmp_path: Path) -> None:
    wave = bytearray(encoded(Kind.WAV, TONE))
    at = wave.index(b"fmt ") + 12
    wave[at : at + 8] = (1).to_bytes(4, "little") + (2).to_bytes(4, "little")
    with pytest.raises(SpeechError) as refused:
        await decode(pool, tmp_path, bytes(wave), max_seconds=100_000.0)
    assert refused.value.code == "invalid_audio"


async def test_a_length_that_nobody_meant_refuses_nothing(
    pool: DecoderPool, tmp_path: Path
) -> None:
    # Written as a stream: the head has the largest number there is for what was not known yet.
    head = encoded(Kind.WAV, TONE).partition(b"data")[0]
    for size in (0x7FFFFF00, 0xFFFFFFFF):
        samples = (TONE * 32_767).astype("<i2").tobytes()
        wave = head + b"data" + size.to_bytes(4, "little") + samples
        assert (await decode(pool, tmp_path, wave)).seconds == pytest.approx(SECONDS)


async def test_what_is_cut_short_is_heard_as_far_as_it_goes_and_said_to_be_damaged(
    pool: DecoderPool, tmp_path: Path
) -> None:
    talk = np.tile(TONE, 5)
    for kind in Kind:
        whole = encoded(kind, talk)
        assert not (await decode(pool, tmp_path, whole)).measures.damaged, kind
        if kind in (Kind.PIPED_WAV, Kind.M4A):
            # Nothing says how long the one was to be; of the other the index is gone.
            continue
        cut = await decode(pool, tmp_path, whole[: int(len(whole) * 0.618)])
        assert cut.measures.damaged, kind
        assert cut.seconds == pytest.approx(0.618 * 5 * SECONDS, abs=0.6)


async def test_what_is_written_a_little_off_is_whole(pool: DecoderPool, tmp_path: Path) -> None:
    talk = np.tile(TONE, 5)
    wave, song, talk_in_ogg = (encoded(kind, talk) for kind in (Kind.WAV, Kind.MP3, Kind.OPUS))
    head, samples = wave[: wave.index(b"data") + 4], wave[wave.index(b"data") + 8 :]
    # The size of the whole file; a lyric before the sound; a tag or a second part behind it.
    tag = b"ID3\x04\x00\x00\x00\x00\x20\x00" + bytes(0x1000)
    for data in (
        head + (len(samples) + 44).to_bytes(4, "little") + samples,
        tag + song + b"TAG" + bytes(125),
        talk_in_ogg + talk_in_ogg,
    ):
        assert not (await decode(pool, tmp_path, data)).measures.damaged
    assert (await decode(pool, tmp_path, tag + song[: len(song) // 2])).measures.damaged


async def test_a_full_disk_is_no_fault_of_the_recording(pool: DecoderPool, tmp_path: Path) -> None:
    (tmp_path / "out.pcm").symlink_to("/dev/full")
    with pytest.raises(SpeechError) as refused:
        await decode(pool, tmp_path, encoded(Kind.WAV, TONE))
    assert refused.value.code == "no_room"
    (tmp_path / "out.pcm").unlink()
    assert (await decode(pool, tmp_path, encoded(Kind.WAV, TONE))).seconds == SECONDS
