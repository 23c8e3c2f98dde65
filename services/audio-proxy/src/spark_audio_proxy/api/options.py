"""What a request for a transcript wants, read leniently: clients send many odd things."""

from dataclasses import dataclass
from typing import Final

from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.rendering.formats import ResponseFormat
from spark_audio_proxy.words.languages import language_code

_GRANULARITIES: Final = ("word", "segment")
MOST_KNOWN: Final = 4
LONGEST_NAME: Final = 100


@dataclass(frozen=True)
class KnownSpeaker:
    """Somebody whose voice the caller sends along, as a data address."""

    name: str
    reference: str


@dataclass(frozen=True)
class TranscriptOptions:
    """``prompt``, ``temperature``, ``include[]`` and ``chunking_strategy`` are taken and mean
    nothing here; a model that is not known, or none, is no reason to refuse."""

    response_format: ResponseFormat
    granularities: tuple[str, ...]
    language: str | None
    stream: bool
    speakers: bool
    """Whether the speakers are to be told apart."""
    known: tuple[KnownSpeaker, ...] = ()
    allow_partial: bool = False
    """Whether an error about some parts of a long recording brings the others along."""

    @classmethod
    def of(cls, fields: Fields) -> "TranscriptOptions":
        """Read them; raises SpeechError for what cannot be answered as it was asked."""
        name = fields.one("response_format").lower() or ResponseFormat.JSON
        try:
            response_format = ResponseFormat(name)
        except ValueError:
            raise SpeechError(
                "unsupported_format",
                "response_format must be json, text, srt, verbose_json, vtt or diarized_json",
                param="response_format",
            ) from None
        granularities = tuple(dict.fromkeys(fields.words("timestamp_granularities")))
        if any(word not in _GRANULARITIES for word in granularities):
            raise SpeechError(
                "invalid_value",
                "timestamp_granularities[] must be word or segment",
                param="timestamp_granularities",
            )
        stream = fields.flag("stream")
        diarizes = fields.one("model").lower().endswith("-diarize")
        return cls(
            response_format,
            granularities or ("segment",),
            language_code(fields.one("language")),
            stream,
            response_format is ResponseFormat.DIARIZED_JSON or (diarizes and stream),
            known_speakers(fields),
            fields.flag("allow_partial"),
        )


def known_speakers(fields: Fields) -> tuple[KnownSpeaker, ...]:
    """Return the speakers that a caller knows; raises SpeechError when the two lists differ."""
    names = fields.many("known_speaker_names")
    references = fields.many("known_speaker_references")
    if len(names) != len(references):
        raise SpeechError(
            "invalid_value",
            "known_speaker_names[] and known_speaker_references[] must be of the same length",
            param="known_speaker_references",
        )
    if len(names) > MOST_KNOWN:
        raise SpeechError(
            "invalid_value",
            f"at most {MOST_KNOWN} speakers can be known",
            param="known_speaker_names",
        )
    if any(len(name) > LONGEST_NAME for name in names):
        raise SpeechError(
            "invalid_value",
            f"a name has at most {LONGEST_NAME} letters",
            param="known_speaker_names",
        )
    if len(set(names)) != len(names):
        raise SpeechError(
            "invalid_value", "each known speaker has a name of its own", param="known_speaker_names"
        )
    return tuple(KnownSpeaker(*pair) for pair in zip(names, references, strict=True))
