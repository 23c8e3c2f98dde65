"""The six formats and the events: what goes in can be read back, whatever was said."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from spark_audio_proxy.merging.blocks import blocks_of
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.rendering.cues import LONGEST_LETTERS, LONGEST_SECONDS, cues_of
from spark_audio_proxy.rendering.documents import text_of
from spark_audio_proxy.rendering.events import TranscriptEvents, error_event, transcript_events
from spark_audio_proxy.rendering.formats import Rendered, ResponseFormat, render
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.words.joining import tidied
from spark_common.testing.later import Later

audio = Later("openai.types.audio")

WORDS = (
    Word("Hello,", 0.0, 0.5, "Speaker_0"),
    Word("you.", 0.5, 1.0, "Speaker_0"),
    Word("Hi", 1.5, 2.0, "Bob"),
    Word("!", 2.0, 2.04, "Bob"),
    Word("Who?", 61.0, 3661.5, None),
)
SPOKEN = Transcript(WORDS, 3700.25, "en", blocks_of(WORDS, MergeRules()))
TEXT = "Hello, you. Hi! Who?"


def shown(response_format: str, transcript: Transcript = SPOKEN, **options: Any) -> Rendered:
    return render(transcript, ResponseFormat(response_format), **options)


def parsed(response_format: str, transcript: Transcript = SPOKEN, **options: Any) -> Any:
    rendered = shown(response_format, transcript, **options)
    assert rendered.media_type == "application/json"
    return json.loads(rendered.body)


class TestFormats:
    def test_text_is_the_text_itself(self) -> None:
        assert shown("text").body.decode() == TEXT
        assert shown("text").media_type.startswith("text/plain")

    def test_json(self) -> None:
        assert parsed("json") == {"text": TEXT, "usage": {"type": "duration", "seconds": 3701}}

    def test_srt(self) -> None:
        assert shown("srt").media_type.startswith("text/plain")
        assert shown("srt").body.decode() == (
            "1\n00:00:00,000 --> 00:00:01,000\nHello, you.\n\n"
            "2\n00:00:01,500 --> 00:00:02,040\nHi!\n\n"
            "3\n00:01:01,000 --> 01:01:01,500\nWho?\n\n"
        )

    def test_vtt(self) -> None:
        assert shown("vtt").media_type.startswith("text/vtt")
        assert (
            shown("vtt")
            .body.decode()
            .startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello, you.\n\n")
        )

    def test_verbose_json_has_every_field_of_a_segment(self) -> None:
        document = parsed("verbose_json")
        assert {k: document[k] for k in ("task", "language", "duration", "text")} == {
            "task": "transcribe", "language": "en", "duration": 3700.25, "text": TEXT,
        }  # fmt: skip
        assert "words" not in document
        first = document["segments"][0]
        assert (first["id"], first["start"], first["end"], first["text"]) == (
            0,
            0,
            1,
            "Hello, you.",
        )
        assert set(first) == {
            "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob",
            "compression_ratio", "no_speech_prob",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("granularities", "lists"),
        [((), {"segments"}), (("word",), {"words"}), (("word", "segment"), {"words", "segments"})],
    )
    def test_verbose_json_lists_what_was_asked_for(
        self, granularities: tuple[str, ...], lists: set[str]
    ) -> None:
        document = parsed("verbose_json", granularities=granularities)
        assert document.keys() & {"words", "segments"} == lists
        for word in document.get("words", []):
            assert set(word) == {"word", "start", "end"}

    def test_an_unknown_language_is_not_made_up(self) -> None:
        assert parsed("verbose_json", Transcript(WORDS, 1.0))["language"] == "und"

    def test_a_translation_says_so(self) -> None:
        document = parsed("verbose_json", task="translate")
        assert (document["task"], document["language"]) == ("translate", "english")

    def test_diarized_json_names_people_and_gives_letters_to_the_rest(self) -> None:
        document = parsed("diarized_json")
        assert [(s["speaker"], s["text"], s["id"]) for s in document["segments"]] == [
            ("A", "Hello, you.", "seg_000"),
            ("Bob", "Hi!", "seg_001"),
            ("UNKNOWN", "Who?", "seg_002"),
        ]
        assert {s["type"] for s in document["segments"]} == {"transcript.text.segment"}
        assert document["text"] == TEXT

    def test_somebody_called_like_a_letter_keeps_it(self) -> None:
        words = tuple(
            Word("a.", float(at), at + 1.0, who)
            for at, who in enumerate(["Speaker_0", "A", *(f"Speaker_{n}" for n in range(1, 28))])
        )
        blocks = blocks_of(words, MergeRules())
        names = [
            s["speaker"]
            for s in parsed("diarized_json", Transcript(words, 30.0, None, blocks))["segments"]
        ]
        assert names[:3] == ["B", "A", "C"]
        assert names[-3:] == ["AA", "AB", "AC"]

    def test_silence_in_every_format(self) -> None:
        nothing = Transcript((), 0.0)
        bodies = {each: render(nothing, each).body for each in ResponseFormat}
        assert bodies[ResponseFormat.TEXT] == bodies[ResponseFormat.SRT] == b""
        assert bodies[ResponseFormat.VTT] == b"WEBVTT\n\n"
        for each in (
            ResponseFormat.JSON,
            ResponseFormat.VERBOSE_JSON,
            ResponseFormat.DIARIZED_JSON,
        ):
            assert json.loads(bodies[each])["text"] == ""

    def test_the_types_of_the_sdk_accept_them_strictly(self) -> None:
        audio.Transcription.model_validate_json(shown("json").body, strict=True)
        both = shown("verbose_json", granularities=("word", "segment"))
        audio.TranscriptionVerbose.model_validate_json(both.body, strict=True)
        audio.TranscriptionDiarized.model_validate_json(shown("diarized_json").body, strict=True)


def events_of(stream: Any) -> list[dict[str, Any]]:
    found = []
    for chunk in stream:
        lines = chunk.decode().split("\n")
        assert lines[0].startswith("data: ")
        assert lines[1:] == ["", ""]
        found.append(json.loads(lines[0].removeprefix("data: ")))
    return found


class TestEvents:
    def test_deltas_add_up_to_the_text(self) -> None:
        events = events_of(transcript_events(Transcript(WORDS, 3700.0)))
        assert [e["type"] for e in events] == ["transcript.text.delta"] * 3 + [
            "transcript.text.done"
        ]
        assert "".join(e["delta"] for e in events[:-1]) == events[-1]["text"] == TEXT
        for each in events:
            TypeAdapter(audio.TranscriptionStreamEvent).validate_python(each)
            assert "segment_id" not in each

    def test_with_speakers_segments_come_between(self) -> None:
        events = events_of(transcript_events(SPOKEN))
        assert [e["type"].rpartition(".")[2] for e in events] == ["delta", "segment"] * 3 + ["done"]
        assert [e["speaker"] for e in events if "speaker" in e] == ["A", "Bob", "UNKNOWN"]
        for delta, segment in zip(events[0:-1:2], events[1:-1:2], strict=True):
            assert delta["segment_id"] == segment["id"], "each delta says of which segment it is"
        assert "".join(e.get("delta", "") for e in events) == events[-1]["text"]

    def test_parts_may_come_one_by_one(self) -> None:
        events = TranscriptEvents()
        deltas = [events_of(events.said(part)) for part in (WORDS[:3], WORDS[3:4], (), WORDS[4:])]
        assert "".join(e["delta"] for part in deltas for e in part) == TEXT

    def test_an_error_is_what_the_sdk_looks_for(self) -> None:
        [event] = events_of([error_event({"message": "gone", "type": "server_error"})])
        assert event["error"]["message"] == "gone"

    def test_silence_still_says_that_it_is_over(self) -> None:
        [event] = events_of(transcript_events(Transcript((), 0.0)))
        assert event == {"type": "transcript.text.done", "text": ""}


hostile = st.text(max_size=12) | st.sampled_from(
    [
        "-->",
        "a\n\nb",
        "1\n00:00:01,000 --> 00:00:02,000",
        "</v>",
        "&amp;",
        "\r\n",
        "NOTE",
        "\x85",
        "<i>",
    ]
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    found = []
    at = 0.0
    for text in draw(st.lists(hostile, max_size=25)):
        at += draw(st.sampled_from([0.0, 0.0004, 0.2, 1.0, 3.0]))
        length = draw(st.sampled_from([0.0, 0.04, 0.3, 2.0, 90.0]))
        who = draw(st.sampled_from(["Speaker_0", "Speaker_1", None]))
        if tidied(text):
            found.append(Word(tidied(text), at, at + length, who))
    return Transcript(tuple(found), at, None, blocks_of(found, MergeRules()))


SRT_CUE = re.compile(r"(\d+)\n(\S+) --> (\S+)\n(.+)")


def milliseconds(clock: str) -> int:
    hours, minutes, rest = clock.split(":")
    seconds, thousandths = re.split("[,.]", rest)
    assert (len(minutes), len(seconds), len(thousandths)) == (2, 2, 3)
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


@given(transcripts())
@settings(max_examples=60)
def test_subtitles_read_back_as_what_was_said(transcript: Transcript) -> None:
    expected = text_of(transcript)
    blocks = shown("srt", transcript).body.decode().split("\n\n")[:-1]
    cues = [SRT_CUE.fullmatch(block) for block in blocks]
    assert [int(cue[1]) for cue in cues if cue] == list(range(1, len(blocks) + 1))
    lines = [cue[4] for cue in cues if cue]
    assert "".join(lines).replace(" ", "") == expected.replace("-->", "→").replace(" ", "")

    head, *blocks = shown("vtt", transcript).body.decode().split("\n\n")[:-1]
    assert head == "WEBVTT"
    seen, reached = [], 0
    for block in blocks:
        clocks, line = block.split("\n")
        start, end = map(milliseconds, clocks.split(" --> "))
        assert reached <= start < end
        reached = end
        assert not set("<>") & set(line)
        seen.append(line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert "".join(seen).replace(" ", "") == expected.replace(" ", "")


@given(transcripts())
@settings(max_examples=40)
def test_cues_hold_every_word_once_and_can_be_read_at_a_glance(transcript: Transcript) -> None:
    cues = cues_of(transcript.words)
    assert [word for cue in cues for word in cue.words] == list(transcript.words)
    for cue in cues:
        if len(cue.words) > 1:
            assert len(cue.text) <= LONGEST_LETTERS
            assert cue.words[-1].end - cue.words[0].start <= LONGEST_SECONDS


@given(transcripts())
@settings(max_examples=40)
def test_events_and_documents_say_the_same(transcript: Transcript) -> None:
    events = events_of(transcript_events(transcript))
    text = "".join(event.get("delta", "") for event in events)
    assert text == events[-1]["text"] == text_of(transcript)
    assert parsed("diarized_json", transcript)["text"] == text
    assert parsed("json", transcript)["text"] == text
    assert shown("text", transcript).body.decode() == text
