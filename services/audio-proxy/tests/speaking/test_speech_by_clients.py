"""Text to speech through real sockets, by the clients that people have."""

import asyncio
import base64
import io
import json
import wave
from typing import Any, cast

import av
import httpx
import pytest

from spark_audio_proxy.speaking.voices import OPENAI_VOICES
from spark_audio_proxy.testing.voices import MAGPIES, letters_in
from spark_common.settings.speech import SpeechSettings
from spark_common.settings.voice import VoiceSettings
from spark_common.testing.later import Later
from spark_common.testing.wait import until

sdk = Later("openai")

LONG = " ".join(f"This is sentence number {number} of many." for number in range(1, 280))


async def _speech(client: Any, text: str, **more: Any) -> bytes:
    options = {"model": "tts-1", "voice": "alloy", "response_format": "pcm", **more}
    return (await client.audio.speech.create(input=text, **options)).content


async def test_the_sdk_gets_every_format(openai: Any) -> None:
    for form in ("mp3", "opus", "aac", "flac", "wav"):
        answer = await openai.audio.speech.create(
            input="Hello there.", model="tts-1", voice="nova", response_format=cast(Any, form)
        )
        with av.open(io.BytesIO(answer.content)) as opened:
            frames = list(opened.decode(audio=0))
        length = sum(frame.samples / frame.sample_rate for frame in frames)
        assert length == pytest.approx(0.6, abs=0.1), form
        assert answer.response.headers["x-tts-engine"] == "kokoro"
        kind = answer.response.headers["content-type"]
        assert kind == {"mp3": "audio/mpeg"}.get(form, f"audio/{form}")


async def test_every_word_is_spoken_in_order_without_a_gap(openai: Any, proxy: Any) -> None:
    heard = letters_in(await _speech(openai, LONG))
    spoken = [body["input"] for body in proxy.stand.asked]
    assert heard == "".join(spoken)
    assert " ".join(spoken) == LONG
    assert len(LONG) > 10_000
    assert proxy.stand.most_running <= 2


async def test_voices_are_found_by_all_their_names(openai: Any, proxy: Any) -> None:
    for name in OPENAI_VOICES:
        assert letters_in(await _speech(openai, "Hi.", voice=name)) == "Hi."
    assert {body["voice"] for body in proxy.stand.asked} <= set(proxy.stand.voices)
    proxy.stand.asked.clear()
    await _speech(openai, "Hi.", voice={"id": "af_sky"}, model="kokoro")
    await _speech(openai, "Hi.", voice="af_bella(2)+af_sky(1)", speed=1.5, instructions="slowly")
    first, second = proxy.stand.asked
    assert first["voice"] == "af_sky"
    assert (second["voice"], second["speed"]) == ("af_bella(2)+af_sky(1)", 1.5)
    assert not {"instructions", "stream_format"} & set(second)


async def test_a_voice_that_is_new_is_found(openai: Any, proxy: Any) -> None:
    with pytest.raises(sdk.BadRequestError) as refused:
        await _speech(openai, "Hi.", voice="af_nobody")
    assert refused.value.code == "unknown_voice"
    assert refused.value.param == "voice"
    assert not proxy.stand.asked


async def test_what_cannot_be_spoken_is_refused_in_openais_shape(openai: Any) -> None:
    for text, code in (("\U0001f389 ***", "empty_input"), ("", "empty_input")):
        with pytest.raises(sdk.BadRequestError) as refused:
            await _speech(openai, text)
        assert (refused.value.code, refused.value.param) == (code, "input")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"input": []}', b"\xff", b"[" * 100_000]
)
async def test_any_other_body_is_refused_too(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/v1/audio/speech", content=body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_events_carry_the_sound(http: httpx.AsyncClient) -> None:
    body = {"input": "One. Two.", "stream_format": "sse", "response_format": "pcm"}
    answer = await http.post("/v1/audio/speech", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert letters_in(sound) == "One. Two."
    assert events[-1]["type"] == "speech.audio.done"
    usage = events[-1]["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


async def test_home_assistant_reads_the_head_and_others_want_the_size(
    http: httpx.AsyncClient,
) -> None:
    body = {"input": "Hello there.", "response_format": "wav"}
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        start = await anext(answer.aiter_bytes())
        with wave.open(io.BytesIO(start)) as opened:
            assert (opened.getframerate(), opened.getnchannels()) == (24_000, 1)
        assert int(answer.headers["x-queue-ms"]) < 60_000
    whole = await http.post("/v1/audio/speech", json={**body, "stream": False})
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["x-queue-ms"].isdigit()
    with wave.open(io.BytesIO(whole.content)) as opened:
        assert letters_in(opened.readframes(opened.getnframes())) == "Hello there."


@pytest.mark.parametrize("fault", ["error", "swallows", "loading"])
async def test_what_fails_before_the_first_sound_is_a_real_error(
    openai: Any, proxy: Any, fault: Any
) -> None:
    proxy.stand.fault = fault
    with pytest.raises(sdk.InternalServerError) as failed:
        await _speech(openai, "Hello.")
    told = {"error": (502, "upstream_bad_response"), "swallows": (502, "upstream_bad_response"),
            "loading": (503, "upstream_loading")}  # fmt: skip
    assert (failed.value.status_code, failed.value.code) == told[fault]
    # Whoever can look at it is told; that it still loads is nothing to look at.
    assert bool(proxy.alarms) == (fault != "loading")
    assert "CUDA" not in failed.value.message


@pytest.mark.parametrize(
    "fault", ["error", "cut", "ends_early", "swallows", "half_a_sample", "loading"]
)
@pytest.mark.parametrize("form", ["mp3", "pcm"])
async def test_a_failure_in_the_middle_is_never_taken_for_the_end(
    http: httpx.AsyncClient, proxy: Any, fault: Any, form: str
) -> None:
    proxy.stand.fault, proxy.stand.fault_at = fault, "number 9 "
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/v1/audio/speech", json={"input": LONG[:1500], "response_format": form})
    await until(lambda: proxy.stand.running == 0, "every call ended")


async def test_a_piece_that_ends_early_is_noticed_where_it_is_the_only_one(
    http: httpx.AsyncClient, proxy: Any
) -> None:
    body = {
        "input": "This sentence is long enough to tell how fast it was spoken.",
        "voice": "alloy",
    }
    assert (await http.post("/v1/audio/speech", json=body)).status_code == 200
    proxy.stand.fault = "ends_early"
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/v1/audio/speech", json=body)


async def test_events_say_that_the_sound_broke_off(http: httpx.AsyncClient, proxy: Any) -> None:
    proxy.stand.fault, proxy.stand.fault_at = "cut", "number 9 "
    got = b""
    body = {"input": LONG[:1500], "stream_format": "sse"}
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        try:
            async for part in answer.aiter_bytes():
                got += part
        except httpx.RemoteProtocolError:
            got += b"and broke off"
    events = got.removesuffix(b"and broke off")
    assert got.endswith(b"and broke off")
    last = json.loads(events.strip().rpartition(b"data: ")[2])
    assert last["error"]["code"] == "upstream_bad_response"
    assert b"speech.audio.done" not in got


async def test_magpie_speaks_where_kokoro_cannot(openai: Any, proxy: Any) -> None:
    proxy.has_magpie = True
    proxy.kokoro_url = "http://127.0.0.1:9"
    answer = await openai.audio.speech.create(
        input="Hello there.", model="tts-1", voice="alloy", response_format="wav", speed=2
    )
    assert answer.response.headers["x-tts-engine"] == "magpie"
    form = proxy.stand.asked[0]
    assert form["voice"] in MAGPIES
    assert form["language"] == "en-US"
    assert form["text"] == '<speak><prosody rate="200%">Hello there.</prosody></speak>'
    # Its 22 kHz became the 24 kHz that clients expect.
    assert len(answer.content) / 2 / 24_000 == pytest.approx(0.6, abs=0.05)
    with pytest.raises(sdk.InternalServerError) as failed:
        await _speech(openai, "Hello.", model="kokoro")
    assert failed.value.code == "upstream_down"


async def test_magpie_is_not_asked_once_somebody_was_heard(
    http: httpx.AsyncClient, proxy: Any
) -> None:
    proxy.has_magpie = True
    proxy.stand.fault, proxy.stand.fault_at = "error", "number 9 "
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/v1/audio/speech", json={"input": LONG[:1500]})
    assert all("encoding" not in asked for asked in proxy.stand.asked)


async def test_magpies_own_voices_speak_through_it(openai: Any, proxy: Any) -> None:
    proxy.has_magpie = True
    await _speech(openai, "<a> & b", voice=MAGPIES[2])
    assert proxy.stand.asked[0]["text"] == "<a> & b"
    assert proxy.stand.asked[0]["language"] == "fr-FR"
    await _speech(openai, "a & b", voice=MAGPIES[2], speed=0.5)
    assert proxy.stand.asked[1]["text"].endswith('rate="50%">a &amp; b</prosody></speak>')
    # Nobody commands it through a text.
    await _speech(openai, "Say <speak>this</speak>.", voice=MAGPIES[2])
    assert "&lt;speak&gt;this" in proxy.stand.asked[2]["text"]


async def test_whoever_hangs_up_leaves_nothing_behind(http: httpx.AsyncClient, proxy: Any) -> None:
    proxy.stand.fault = "waits"
    body = {"input": LONG, "response_format": "pcm"}
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        await anext(answer.aiter_bytes())
        await until(lambda: proxy.stand.running == 2, "the next piece is fetched")
        asked = len(proxy.stand.asked)
    await until(lambda: proxy.stand.running == 0, "every call ended")
    assert len(proxy.stand.asked) == asked
    proxy.stand.fault = None
    assert (await http.post("/v1/audio/speech", json={"input": "Hi."})).status_code == 200


async def test_whoever_hangs_up_before_the_first_sound_is_dropped_too(
    http: httpx.AsyncClient, proxy: Any
) -> None:
    proxy.limits = SpeechSettings(audio_ceiling=1)
    proxy.stand.fault = "waits"
    first = asyncio.create_task(http.post("/v1/audio/speech", json={"input": "First."}))
    await until(lambda: proxy.stand.running == 1, "the first speaks")
    second = asyncio.create_task(http.post("/v1/audio/speech", json={"input": "Second."}))
    await until(lambda: proxy.permits.standing()["waiting"]["interactive"] == 1, "the second waits")
    second.cancel()
    await until(lambda: proxy.permits.standing()["waiting"]["interactive"] == 0, "nobody waits")
    proxy.stand.go_on.set()
    assert (await first).status_code == 200
    assert [body["input"] for body in proxy.stand.asked] == ["First."]


async def test_the_same_sentence_is_spoken_once_where_the_owner_keeps_it(
    http: httpx.AsyncClient, proxy: Any
) -> None:
    body = {"input": "Good morning.", "response_format": "wav"}
    await http.post("/v1/audio/speech", json=body)
    await http.post("/v1/audio/speech", json=body)
    assert len(proxy.stand.asked) == 2
    proxy.settings = VoiceSettings(tts_cache=True)
    await http.post("/v1/audio/speech", json=body)
    again = await http.post("/v1/audio/speech", json=body)
    assert again.headers["x-tts-cache"] == "hit"
    assert len(proxy.stand.asked) == 3
    with wave.open(io.BytesIO(again.content)) as opened:
        assert letters_in(opened.readframes(opened.getnframes())) == "Good morning."


async def test_half_an_answer_is_never_kept(http: httpx.AsyncClient, proxy: Any) -> None:
    proxy.settings = VoiceSettings(tts_cache=True)
    proxy.stand.fault, proxy.stand.fault_at = "cut", "number 9 "
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/v1/audio/speech", json={"input": LONG[:1500]})
    assert not list(proxy.folder.glob("*"))


async def test_magpie_is_unknown_where_nobody_has_it(openai: Any) -> None:
    for more in ({"voice": MAGPIES[0]}, {"model": "magpie"}):
        with pytest.raises(sdk.BadRequestError) as refused:
            await _speech(openai, "Hello.", **more)
        assert refused.value.code == "unknown_voice"


async def test_librechat_and_open_webui_send_more_than_openai_knows(
    http: httpx.AsyncClient,
) -> None:
    body = {"input": "Hi.", "model": "tts-1", "voice": "alloy", "backend": "elevenlabs",
            "volume_multiplier": 0.5, "user": "bob", "response_format": "pcm"}  # fmt: skip
    assert letters_in((await http.post("/v1/audio/speech", json=body)).content) == "Hi."


async def test_voices_are_listed_in_every_shape(http: httpx.AsyncClient, proxy: Any) -> None:
    listed = (await http.get("/v1/audio/voices")).json()
    # Open WebUI takes voices as objects only.
    assert [voice["id"] for voice in listed["voices"]] == list(proxy.stand.voices)
    french = listed["voices"][-1]
    assert french == {"id": "ff_siwis", "name": "ff_siwis", "language": "fr-FR",
                      "gender": "female", "engine": "kokoro"}  # fmt: skip
    legacy = (await http.get("/v1/audio/voices?legacy=true")).json()
    assert legacy == {"voices": list(proxy.stand.voices)}
    models = (await http.get("/v1/audio/models")).json()["models"]
    assert {"id": "tts-1", "name": "tts-1"} in models


async def test_models_are_listed_with_their_voices(
    http: httpx.AsyncClient, openai: Any, proxy: Any
) -> None:
    models = {model.id: model async for model in openai.models.list()}
    assert {"parakeet-tdt-0.6b-v3", "whisper-1", "gpt-4o-transcribe-diarize"} <= set(models)
    assert {"kokoro", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"} <= set(models)
    assert "magpie" not in models
    one = (await http.get("/v1/models/tts-1")).json()
    # By these a client of Home Assistant's finds the voices.
    assert [voice["name"] for voice in one["voices"]] == list(proxy.stand.voices)
    assert one["ready"] is True
    voices = (await http.get("/v1/models?include=voices")).json()["data"]
    assert "af_sky" in {model["id"] for model in voices}
    proxy.has_magpie = True
    assert (await http.get("/v1/models/magpie")).json()["voices"][0]["id"] == MAGPIES[0]


async def test_other_kinds_of_server_are_not_found_here(http: httpx.AsyncClient) -> None:
    for path in ("/v1/readyz", "/v1/test", "/v1/models/nothing"):
        answer = await http.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
    assert (await http.get("/health")).json()["status"] == "ok"


async def test_what_was_known_is_listed_while_nobody_answers(
    http: httpx.AsyncClient, proxy: Any
) -> None:
    proxy.stand.silent = True
    assert (await http.get("/v1/audio/voices")).status_code == 503
    assert (await http.get("/v1/models")).json()["data"][0]["id"] == "parakeet-tdt-0.6b-v3"
