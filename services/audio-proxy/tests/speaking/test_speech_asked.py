"""Requests for speech, and the voices that they mean."""

import json
from typing import Any

import pytest

from spark_audio_proxy.api.envelope import rendered
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.asked import FORMATS, LARGEST_INPUT, read_speech
from spark_audio_proxy.speaking.refusing import refusal_of_kokoro
from spark_audio_proxy.speaking.voices import OPENAI_VOICES, Casting, Spoken

KOKORO = frozenset((*OPENAI_VOICES.values(), "af_bella", "ff_siwis"))
MAGPIE = (
    "Magpie-Multilingual.EN-US.Aria",
    "Magpie-Multilingual.EN-US.Aria.Happy",
    "Magpie-Multilingual.FR-FR.Pascal",
)
CASTING = Casting(kokoro=KOKORO, magpie=MAGPIE, owners={"anna": "af_bella(2)+af_sky(1)"})


def test_what_is_left_out_has_defaults() -> None:
    asked = read_speech({"input": "Hello", "instructions": "cheerful", "sample_rate": 1})
    assert (asked.model, asked.voice, asked.format, asked.speed) == ("", "", "mp3", 1.0)
    assert not asked.as_events
    assert not asked.whole


@pytest.mark.parametrize(
    ("field", "value", "read", "as_"),
    [
        ("voice", {"id": "af_sky"}, "voice", "af_sky"),
        ("speed", 9, "speed", 4.0),
        ("speed", 0, "speed", 0.25),
        ("speed", "1.5", "speed", 1.5),
        ("response_format", "OPUS", "format", "opus"),
        ("stream_format", "sse", "as_events", True),
        ("stream", False, "whole", True),
        ("lang_code", "e", "extras", {"lang_code": "e"}),
        ("volume_multiplier", 99, "extras", {}),
        ("normalization_options", {"normalize": False, "a": "\ud800", "b": float("nan"), "c": []},
         "extras", {"normalization_options": {"normalize": False}}),
    ],
)  # fmt: skip
def test_fields_are_read_as_they_are_meant(field: str, value: Any, read: str, as_: Any) -> None:
    assert getattr(read_speech({"input": "Hello", field: value}), read) == as_


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ([], "invalid_value", None),
        ({}, "invalid_value", "input"),
        ({"input": 5}, "invalid_value", "input"),
        ({"input": "x" * (LARGEST_INPUT + 1)}, "invalid_value", "input"),
        ({"input": "x", "model": []}, "invalid_value", "model"),
        ({"input": "x", "voice": {"name": "x"}}, "unknown_voice", "voice"),
        ({"input": "x", "voice": 5}, "invalid_value", "voice"),
        ({"input": "x", "response_format": "midi"}, "unsupported_format", "response_format"),
        ({"input": "x", "response_format": {}}, "unsupported_format", "response_format"),
        ({"input": "x", "stream_format": "ws"}, "unsupported_format", "stream_format"),
        ({"input": "x", "speed": "fast"}, "invalid_value", "speed"),
        ({"input": "x", "speed": 10**400}, "invalid_value", "speed"),
        ({"input": "x", "speed": True}, "invalid_value", "speed"),
        ({"input": "x", "speed": float("nan")}, "invalid_value", "speed"),
    ],
)
def test_what_cannot_be_meant_names_its_field(body: Any, code: str, param: str | None) -> None:
    with pytest.raises(SpeechError) as refused:
        read_speech(body)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_half_a_surrogate_is_no_letter() -> None:
    assert read_speech({"input": "a\ud83d b"}).input == "a b"


def test_all_formats_of_openai_are_known() -> None:
    assert FORMATS == ("mp3", "opus", "aac", "flac", "wav", "pcm")


@pytest.mark.parametrize(
    ("model", "voice", "spoken"),
    [
        ("", "", Spoken("kokoro", "af_heart", may_fall_back=True)),
        ("tts-1", "Alloy", Spoken("kokoro", "af_alloy", may_fall_back=True)),
        ("kokoro", "af_bella", Spoken("kokoro", "af_bella")),
        ("kokoro", "af_bella + af_sky", Spoken("kokoro", "af_bella+af_sky")),
        ("kokoro", "af_bella(2)+af_sky(0.5)-ff_siwis",
         Spoken("kokoro", "af_bella(2)+af_sky(0.5)-ff_siwis")),
        ("kokoro", "anna", Spoken("kokoro", "af_bella(2)+af_sky(1)")),
        ("tts-1", MAGPIE[1], Spoken("magpie", MAGPIE[1])),
        ("magpie", "aria", Spoken("magpie", MAGPIE[0])),
        ("magpie-tts", "", Spoken("magpie", MAGPIE[0])),
        ("magpie", "nova", Spoken("magpie", MAGPIE[0])),
    ],
)  # fmt: skip
def test_a_voice_has_its_engine(model: str, voice: str, spoken: Spoken) -> None:
    assert CASTING.cast(model, voice) == spoken


@pytest.mark.parametrize(
    "voice",
    ["nobody", "af_", "af_bella+", "+af_bella", "af_bella++af_sky", "af_bella(x)", "af_nobody",
     "af_bella+af_nobody", "af_bella;rm", "../af_bella", "af_bella(1e9)", "x" * 500, "af_bélla"],
)  # fmt: skip
def test_an_unknown_voice_is_the_callers_mistake(voice: str) -> None:
    with pytest.raises(SpeechError) as refused:
        CASTING.cast("kokoro", voice)
    assert (refused.value.code, refused.value.param) == ("unknown_voice", "voice")


@pytest.mark.parametrize("voices", [None, KOKORO, frozenset({"am_adam", "af_sky"})])
def test_all_thirteen_names_speak_whatever_kokoro_has(voices: frozenset[str] | None) -> None:
    casting = Casting(kokoro=voices)
    for name in OPENAI_VOICES:
        spoken = casting.cast("tts-1", name)
        assert spoken.voice in (voices or OPENAI_VOICES.values())


def test_a_stand_in_speaks_the_same_language() -> None:
    assert CASTING.stand_in("ff_siwis") == MAGPIE[2]
    assert CASTING.stand_in("af_sky") == MAGPIE[0]
    with pytest.raises(SpeechError, match="did not say"):
        Casting().stand_in("af_sky")


@pytest.mark.parametrize(
    "said",
    [b"", b"<html>", b"5", b"[]", b'{"detail": 5}', b'{"detail": {"message": 5, "error": []}}',
     b'{"detail": [{"loc": 5, "msg": []}]}', b'{"detail": "a \\ud800 voice"}', b"\xff",
     b"[" * 9999],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
def test_whatever_kokoro_refuses_with_can_be_told(status: int, said: bytes) -> None:
    problem = refusal_of_kokoro(status, said)
    assert json.loads(rendered(problem, "/v1/audio/speech").body)["error"]["code"] == problem.code
    assert "\ud800" not in problem.message
