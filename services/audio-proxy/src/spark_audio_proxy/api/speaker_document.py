"""The answer of ``transcribe-with-speakers``: the shape of the earlier system, and additions."""

from typing import Any

from spark_audio_proxy.speech import Block, Word
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.with_speakers import SpeakerTranscript

_MODEL = "nvidia/parakeet-tdt-0.6b-v3"


def speaker_document(
    found: SpeakerTranscript,
    journey: Journey,
    *,
    words: bool = False,
    fingerprints: bool = False,
    debug: bool = False,
) -> dict[str, Any]:
    """Return it as JSON; times of segments in whole milliseconds."""
    transcript = found.transcript
    document: dict[str, Any] = {
        "duration": round(transcript.duration, 3),
        "language": transcript.language,
        "speakers_detected": list(transcript.speakers),
        "segments": [_segment(block, words) for block in transcript.blocks],
        "models": {"transcription": _MODEL, **found.models},
        "warnings": list(transcript.warnings),
        "stats": {
            "words": len(transcript.words),
            "unattributed": found.unattributed,
            "suppressed": len(found.suppressed),
            "chunks": journey.parts,
            "queue_ms": journey.ms("queue"),
            "decode_ms": journey.ms("decode"),
            "asr_ms": journey.ms("asr"),
            "diar_ms": journey.ms("diar"),
        },
    }
    if found.echo_db is not None:
        document["stats"]["echo_db"] = round(found.echo_db, 1)
    if fingerprints:
        document["fingerprints"] = {
            name: list(vector) for name, vector in found.fingerprints.items()
        }
    if debug:
        document["debug"] = {
            "suppressed": [
                {
                    "word": each.word.text,
                    "start_ms": _ms(each.word.start),
                    "end_ms": _ms(each.word.end),
                    "chance": round(each.chance, 3),
                    "reasons": list(each.reasons),
                }
                for each in found.suppressed
            ]
        }
    return document


def _segment(block: Block, words: bool) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "start_ms": _ms(block.start),
        "end_ms": _ms(block.end),
        "speaker": block.speaker,
        "text": block.text,
        "confidence": _rounded(block.confidence),
    }
    if block.overlap:
        segment["overlap"] = True
    if block.channel is not None:
        segment["channel"] = block.channel
    if words:
        segment["words"] = [_word(word) for word in block.words]
    return segment


def _word(word: Word) -> dict[str, Any]:
    said: dict[str, Any] = {
        "word": word.text,
        "start_ms": _ms(word.start),
        "end_ms": _ms(word.end),
        "speaker": word.speaker,
        "confidence": _rounded(word.confidence),
    }
    if word.overlap:
        said |= {"overlap": True, "alt_speaker": word.alt_speaker}
    return said


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
