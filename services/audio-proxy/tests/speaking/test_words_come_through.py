"""What is spoken is heard again: text through audio-proxy and the voice servers into words."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.listing.wiring import voice_book, wire_listing
from spark_audio_proxy.speaking.wiring import wire_speaking
from spark_audio_proxy.testing.stand import audio_stand
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.wiring import Hearing
from spark_common.clock import SystemClock
from spark_common.settings.voice import VoiceSettings
from spark_common.testing.later import Later
from spark_sim.speakclock.listener import hear
from spark_sim.speakclock.tones import RATE
from spark_sim.speech.stands import KokoroStand, MagpieStand, kokoro_stand, magpie_stand

sdk = Later("openai")

TEXT = "The first sentence is here. Then comes another one. And this was the last of them."
WORDS = TEXT.split()
FORMATS = ("mp3", "opus", "aac", "flac", "wav")


@dataclass
class Voices:
    """audio-proxy before both voice servers."""

    url: str
    openai: Any
    kokoro: KokoroStand
    magpie: MagpieStand


@pytest.fixture
async def voices(tmp_path: Path) -> AsyncIterator[Voices]:
    clock = SystemClock()
    async with kokoro_stand(first_byte_seconds=0.0) as kokoro, magpie_stand() as magpie:
        upstreams = [
            UpstreamHttp("kokoro", "the voice server", lambda: kokoro.url),
            UpstreamHttp("magpie", "Magpie", lambda: magpie.url),
        ]
        book = voice_book(*upstreams, clock)

        def more(hearing: Hearing) -> list[Feature]:
            return [
                wire_listing(book, upstreams[0], lambda: True, clock),
                wire_speaking(
                    *upstreams, book, hearing.permits, VoiceSettings, tmp_path / "spoken", clock
                ),
            ]

        async with (
            audio_stand(None, tmp_path, more=more) as stand,
            sdk.AsyncOpenAI(base_url=f"{stand.url}/v1", api_key="none", max_retries=0) as openai,
        ):
            yield Voices(stand.url, openai, kokoro, magpie)
        for upstream in upstreams:
            await upstream.close()


def _words(sound: bytes) -> list[str]:
    with av.open(io.BytesIO(sound)) as opened:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = [more for frame in opened.decode(audio=0) for more in resampler.resample(frame)]
    frames += resampler.resample(None)
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    return [word.text for word in hear(samples.astype(np.float32))]


async def _said(voices: Voices, text: str, **more: Any) -> bytes:
    options = {"model": "tts-1", "voice": "alloy", **more}
    return (await voices.openai.audio.speech.create(input=text, **options)).content


async def test_every_word_is_heard_again_in_every_format(voices: Voices) -> None:
    said = await asyncio.gather(
        *(
            _said(voices, TEXT, response_format=form)
            for form in ("mp3", "opus", "aac", "flac", "wav")
        )
    )
    for sound in said:
        assert _words(sound) == WORDS
    long = " ".join(f"Sentence {number} is said." for number in range(60))
    assert _words(await _said(voices, long, response_format="flac")) == long.split()
    assert voices.kokoro.records.most_at_once <= 2
    assert all(not asked.unknown for asked in voices.kokoro.records.asked)
    magpie = await _said(
        voices, TEXT, voice="Magpie-Multilingual.EN-US.Aria", response_format="wav"
    )
    assert _words(magpie) == WORDS


@pytest.mark.parametrize("stops", ["cleanly", "cut"])
@pytest.mark.parametrize("after", [0, 1, 2])
async def test_whatever_is_left_out_is_an_error(voices: Voices, stops: Any, after: int) -> None:
    voices.kokoro.switches.stops = stops
    voices.kokoro.switches.stops_after = after
    with (
        pytest.raises((sdk.APIConnectionError, httpx.RemoteProtocolError))
        if after
        else (pytest.raises(Exception, match=r"voice server|502"))
    ):
        await _said(voices, TEXT, model="kokoro")


async def test_voices_that_kokoro_lacks_and_older_lists_are_no_obstacle(voices: Voices) -> None:
    voices.kokoro.switches.voices_as = "strings"  # type: ignore[assignment]
    for name in ("ballad", "verse", "marin", "cedar"):
        assert _words(await _said(voices, "Hello there.", voice=name)) == ["Hello", "there."]
    listed = (await voices.openai.get("/audio/voices", cast_to=httpx.Response)).json()
    assert {"af_heart", "bm_george"} <= {voice["id"] for voice in listed["voices"]}
