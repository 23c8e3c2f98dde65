"""Kokoro and Magpie: what they say can be heard again, and how they refuse and break off."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest

from spark_common.plain_http import plain_client
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.hearing import Heard, listen
from spark_sim.speech.kokoro_voices import VOICES, band_of
from spark_sim.speech.stands import kokoro_stand, magpie_stand, parakeet_stand

TEXT = "Good morning, Alice! It is seven o'clock. Shall we begin?"
SPEECH = "/v1/audio/speech"
OPENAI = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse",
    "marin", "cedar",
)  # fmt: skip


def wav_of(samples: bytes, rate: int) -> bytes:
    sound = np.frombuffer(samples, "<i2").astype(np.float32) / 32_768
    return encoded(Kind.WAV, sound, source_rate=rate)


def text_of(heard: Heard) -> str:
    return " ".join(word.text for word in heard.words)


@asynccontextmanager
async def kokoro(**switches):
    async with kokoro_stand(2000, **switches) as made, plain_client(timeout=60) as http:

        async def say(text: object = TEXT, **more: object) -> httpx.Response:
            return await http.post(made.url + SPEECH, json={"input": text, **more}, timeout=60)

        made.say, made.http = say, http
        yield made


@pytest.mark.parametrize("stream", [True, False])
async def test_every_format_says_the_words_in_the_band_of_the_voice(stream: bool) -> None:
    async with kokoro() as voice:
        for form in ("mp3", "opus", "aac", "flac", "wav", "pcm"):
            spoken = await voice.say(voice="am_adam", response_format=form, stream=stream)
            kind = "audio/mpeg" if form == "mp3" else f"audio/{form}"
            assert spoken.headers["content-type"] == kind
            assert ("content-length" in spoken.headers) is not stream
            body = wav_of(spoken.content, 24_000) if form == "pcm" else spoken.content
            heard = await asyncio.to_thread(listen, body)
            assert text_of(heard) == TEXT, form
            assert {word.band for word in heard.words} == {band_of("am_adam")}
            if form == "wav":
                assert heard.rate == 24_000
                placeholder = spoken.content[4:8] == b"\xff\xff\xff\xff"
                assert placeholder is stream


async def test_what_it_says_speech_to_text_hears() -> None:
    async with kokoro() as voice, parakeet_stand(2000) as speech:
        sound = (await voice.say(response_format="flac", speed=2)).content
        answer = await voice.http.post(
            f"{speech.url}/v1/audio/transcriptions", files={"file": ("a.flac", sound)}
        )
        assert answer.json() == {"text": TEXT}
        assert speech.records.uploads[0].codec == "flac"


async def test_voices_mixtures_and_refusals_are_those_of_kokoro() -> None:
    async with kokoro() as voice:
        listed = (await voice.http.get(f"{voice.url}/v1/audio/voices")).json()["voices"]
        assert {"id": "af_heart", "name": "af_heart"} in listed
        legacy = await voice.http.get(f"{voice.url}/v1/audio/voices?legacy=true")
        assert legacy.json()["voices"] == list(VOICES)
        voice.switches.voices_as = "strings"
        assert (await voice.http.get(f"{voice.url}/v1/audio/voices")).json() == legacy.json()
        models = (await voice.http.get(f"{voice.url}/v1/models")).json()["data"]
        assert len(models) == 4

        known = [name for name in OPENAI if (await voice.say("Hi.", voice=name)).is_success]
        assert set(OPENAI) - set(known) == {"ballad", "verse", "marin", "cedar"}
        for mixture in ("af_bella+af_sky", "af_bella(2)+af_sky(1)", "af_bella-af_sky"):
            assert (await voice.say("Hi.", voice=mixture)).is_success
        assert band_of("af_bella(1)+af_sky(3)") == band_of("af_sky")

        bad = {
            "voice": ["nobody", "af_bella+", "af_bella++af_sky", "af_sky(1)(2)", "af_sky+nobody"],
            "model": ["whisper-1"],
        }
        for field, values in bad.items():
            for value in values:
                answer = await voice.say(**{field: value})
                assert answer.status_code == 400
                assert set(answer.json()["detail"]) == {"error", "message", "type"}
        wrong = [("voice", {"id": "af_sky"}), ("response_format", "tiff"), ("speed", 9)]
        for field, value in wrong:
            answer = await voice.say(**{field: value})
            assert answer.status_code == 422
            assert answer.json()["detail"][0]["loc"] == ["body", field]
        combine = await voice.http.post(f"{voice.url}/v1/audio/voices/combine", json="af_sky")
        assert combine.status_code == 403
        voice.behave("voice_errors")
        assert (await voice.say()).json()["detail"]["error"] == "processing_error"
        voice.behave("ok")
        await voice.say("Hi.", instructions="slowly")
        assert voice.records.asked[-1].unknown == ("instructions",)


async def test_it_breaks_off_in_the_middle_as_if_all_were_well_or_not() -> None:
    async with kokoro(stops_after=1) as voice:
        short = await voice.say(response_format="wav")
        assert short.status_code == 200
        assert text_of(listen(short.content)) == "Good morning, Alice!"
        assert (await voice.say(stream=False)).status_code == 500
        voice.switches.stops = "cut"
        with pytest.raises(httpx.RemoteProtocolError):
            await voice.say()
        voice.switches.stops, voice.switches.stops_after = "cleanly", 0
        assert (await voice.say(response_format="pcm")).content == b""


async def test_it_stops_for_a_caller_who_left_and_sends_sentence_by_sentence() -> None:
    async with kokoro_stand(20) as voice, plain_client(timeout=60) as http:
        body = {"input": TEXT * 40, "response_format": "pcm"}
        async with http.stream("POST", voice.url + SPEECH, json=body) as answer:
            first = await anext(answer.aiter_bytes())
        assert first
        while not voice.records.left:
            await asyncio.sleep(0.01)
        assert 1 <= voice.records.sentences < 100


async def test_captions_tell_when_each_word_is_said() -> None:
    async with kokoro() as voice:
        wish = {"input": TEXT, "response_format": "pcm"}
        answer = await voice.http.post(f"{voice.url}/dev/captioned_speech", json=wish)
        rows = [json.loads(line) for line in answer.text.splitlines()]
        samples = b"".join(base64.b64decode(row["audio"]) for row in rows)
        words = [stamp for row in rows for stamp in row["timestamps"]]
        assert len(rows) >= 3
        heard = listen(wav_of(samples, 24_000)).words
        assert [word["word"] for word in words] == [word.text for word in heard]
        for told, word in zip(words, heard, strict=True):
            assert told["start_time"] == pytest.approx(word.start, abs=0.02)


async def test_magpie_takes_forms_and_sends_samples_without_a_head() -> None:
    async with magpie_stand(2000) as magpie, plain_client(timeout=60) as http:
        url = f"{magpie.url}/v1/audio"
        listed = (await http.get(f"{url}/list_voices")).json()
        [(languages, voices)] = listed.items()
        assert "en-US" in languages.split(",")
        name = "Magpie-Multilingual.EN-US.Mia"
        assert {name, f"{name}.Happy"} <= set(voices["voices"])

        async def say(text: str = TEXT, route: str = "synthesize_online", **more: str):
            fields = {"text": text, "language": "en-US", "voice": name, **more}
            parts = {key: (None, value) for key, value in fields.items()}
            return await http.post(f"{url}/{route}", files=parts)

        for rate in (22_050, 8_000, 24_000):
            online = await say(sample_rate_hz=str(rate), encoding="LINEAR_PCM")
            assert text_of(listen(wav_of(online.content, rate))) == TEXT
        wav = await say(route="synthesize")
        assert text_of(listen(wav.content)) == TEXT
        assert (await say(route="synthesize", encoding="OGGOPUS")).content[:4] == b"OggS"
        ssml = '<speak><prosody rate="120%">Tom &amp; Jerry</prosody></speak>'
        assert text_of(listen(wav_of((await say(ssml)).content, 22_050))) == "Tom & Jerry"
        assert (await say("<speak>Tom & Jerry</speak>")).status_code == 400
        assert (await say("word " * 500)).status_code == 400
        assert (await say(voice="Magpie-Multilingual.EN-US.Nobody")).status_code == 400
        refused = await http.post(f"{url}/synthesize", json={"text": TEXT})
        assert refused.json() == {"error": "Bad Request, empty text input"}
        magpie.application.ready = False
        assert (await say()).status_code == 503
        assert (await http.get(f"{magpie.url}/v1/health/ready")).status_code == 503
