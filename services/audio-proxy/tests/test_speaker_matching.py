"""Enrolment and matching: who is clearly somebody is, and everybody else stays a stranger."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.speakers.enrolment import (
    EnrolmentClip,
    EnrolmentRefusedError,
    enrolment_print,
    speaker_name,
)
from spark_audio_proxy.speakers.matching import (
    EmbeddingModelMismatchError,
    EnrolledVoice,
    MatchRules,
    match_voices,
)
from spark_audio_proxy.speech import Diarization, SpeakerSegment
from spark_common.errors import InvalidRequestError

DAY = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = "titanet-large"


def at_angle(degrees: float) -> tuple[float, ...]:
    return float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees))), 0.0


def enrolled(**angles: float) -> list[EnrolledVoice]:
    return [EnrolledVoice(name, at_angle(angle), MODEL, DAY) for name, angle in angles.items()]


class TestMatching:
    def test_somebody_clearly_known_is_named_and_a_stranger_is_not(self) -> None:
        people = enrolled(Alice=0, Bob=90)
        found = match_voices({"a": at_angle(10), "c": (0.0, 0.0, 1.0)}, people, MODEL)
        assert found["a"].name == "Alice"
        assert found["c"].name is None
        assert [each.name for each in found["a"].candidates] == ["Alice", "Bob"]

    @pytest.mark.parametrize(
        ("angle", "name"),
        [(56.0, "Alice"), (57.0, None)],
        ids=["cosine 0.559", "cosine 0.545"],
    )
    def test_the_threshold_is_a_raw_cosine(self, angle: float, name: str | None) -> None:
        found = match_voices({"a": at_angle(angle)}, enrolled(Alice=0), MODEL)
        assert found["a"].name == name
        assert found["a"].candidates[0].cosine == pytest.approx(np.cos(np.radians(angle)), abs=1e-4)

    def test_between_two_people_nobody_is_named(self) -> None:
        found = match_voices({"a": at_angle(20)}, enrolled(Alice=0, Bob=42), MODEL)
        assert found["a"].name is None
        assert len(found["a"].candidates) == 2

    def test_one_person_is_one_voice_of_a_recording(self) -> None:
        found = match_voices({"a": at_angle(5), "b": at_angle(15)}, enrolled(Alice=0), MODEL)
        assert (found["a"].name, found["b"].name) == ("Alice", None)

    def test_a_print_that_points_nowhere_is_a_stranger(self) -> None:
        assert match_voices({"a": (0.0, 0.0, 0.0)}, enrolled(Alice=0), MODEL)["a"].name is None

    def test_nobody_enrolled_and_nobody_heard(self) -> None:
        assert match_voices({"a": at_angle(0)}, [], MODEL)["a"].candidates == ()
        assert match_voices({}, enrolled(Alice=0), MODEL) == {}

    def test_prints_of_another_model_are_not_compared(self) -> None:
        people = [*enrolled(Alice=0), replace(enrolled(Bob=90)[0], model="older")]
        with pytest.raises(EmbeddingModelMismatchError) as caught:
            match_voices({"a": at_angle(0)}, people, MODEL)
        assert caught.value.details["models"] == ["older", MODEL]
        assert caught.value.code == "embedding_model_mismatch"
        assert "Bob" not in caught.value.message
        with pytest.raises(EmbeddingModelMismatchError):
            match_voices({"a": (1.0, 0.0)}, enrolled(Alice=0), MODEL)

    @given(st.lists(st.floats(0, 180), max_size=5), st.lists(st.floats(0, 180), max_size=4))
    @settings(max_examples=40)
    def test_every_name_is_given_once_and_for_a_reason(
        self, voices: list[float], people: list[float]
    ) -> None:
        known = enrolled(**{f"p{index}": angle for index, angle in enumerate(people)})
        rules = MatchRules()
        found = match_voices({f"v{i}": at_angle(a) for i, a in enumerate(voices)}, known, MODEL)
        names = [match.name for match in found.values() if match.name]
        assert len(set(names)) == len(names)
        for match in found.values():
            near = match.candidates
            assert list(near) == sorted(near, key=lambda each: -each.cosine)
            if match.name:
                assert near[0].name == match.name
                assert near[0].cosine >= rules.least_cosine
                assert len(near) < 2 or near[0].cosine - near[1].cosine >= rules.least_margin - 1e-6


GOOD = EnrolmentClip(
    seconds=10.0,
    clipped=0.0,
    diarization=Diarization(
        (SpeakerSegment(0.5, 8.5, "x"), SpeakerSegment(8.6, 8.8, "y")),
        10.0,
        fingerprints={"x": (3.0, 4.0), "y": (1.0, 0.0)},
    ),
)


class TestEnrolment:
    def test_the_print_of_the_one_who_speaks_is_taken(self) -> None:
        assert enrolment_print(GOOD) == pytest.approx((0.6, 0.8))

    @pytest.mark.parametrize(
        ("clip", "reason"),
        [
            (replace(GOOD, seconds=4.9), "too_short"),
            (replace(GOOD, seconds=30.1), "too_long"),
            (replace(GOOD, clipped=0.01), "clipped"),
            (replace(GOOD, speech_seconds=2.9), "too_little_speech"),
            (replace(GOOD, diarization=Diarization(())), "too_little_speech"),
            (
                replace(
                    GOOD,
                    diarization=Diarization(
                        (SpeakerSegment(0, 6, "x"), SpeakerSegment(6, 7, "y")),
                        fingerprints={"x": (1.0,)},
                    ),
                ),
                "several_speakers",
            ),
            (
                replace(GOOD, diarization=Diarization((SpeakerSegment(0, 6, "x"),))),
                "no_voice_print",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_is_of_no_use_is_refused_with_a_reason(
        self, clip: EnrolmentClip, reason: str
    ) -> None:
        with pytest.raises(EnrolmentRefusedError) as caught:
            enrolment_print(clip)
        assert caught.value.details["reason"] == reason

    @pytest.mark.parametrize("text", ["Alice", "  Zoë  Müller ", "Ze\u0301", "名前"])
    def test_names_that_can_be_shown(self, text: str) -> None:
        name = speaker_name(text)
        assert speaker_name(name) == name

    @pytest.mark.parametrize("text", ["", "  ", "a" * 65, "a\x00b", "a\u202eb"])
    def test_names_that_cannot(self, text: str) -> None:
        with pytest.raises(InvalidRequestError):
            speaker_name(text)
