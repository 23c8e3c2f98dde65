"""The JSON formats, with every field that a strict client insists on."""

import json
import zlib
from collections.abc import Collection, Mapping
from math import ceil
from typing import Any

from spark_audio_proxy.rendering.cues import Cue, cues_of
from spark_audio_proxy.rendering.speaker_names import shown_names
from spark_audio_proxy.speech import Block, Transcript, Word
from spark_audio_proxy.words.joining import joined

UNNAMED_LANGUAGE = "und"
"""Said where the format wants a language and nobody named one."""


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def text_of(transcript: Transcript) -> str:
    """Return everything that was said as one line."""
    return joined(word.text for word in transcript.words)


def plain_json(transcript: Transcript) -> dict[str, Any]:
    """Return the ``json`` format."""
    return {"text": text_of(transcript), "usage": _usage(transcript)}


def verbose_json(
    transcript: Transcript, granularities: Collection[str], task: str
) -> dict[str, Any]:
    """Return the ``verbose_json`` format with the lists that were asked for."""
    language = "english" if task == "translate" else transcript.language or UNNAMED_LANGUAGE
    document: dict[str, Any] = {
        "task": task,
        "language": language,
        "duration": round(transcript.duration, 3),
        "text": text_of(transcript),
    }
    if "segment" in granularities or "word" not in granularities:
        cues = enumerate(cues_of(transcript.words))
        document["segments"] = [_segment(number, cue) for number, cue in cues]
    if "word" in granularities:
        document["words"] = [_word(word) for word in transcript.words]
    return document | {"usage": _usage(transcript)}


def diarized_json(transcript: Transcript, task: str = "transcribe") -> dict[str, Any]:
    """Return the ``diarized_json`` format: the blocks, speakers named ``A``, ``B``, ..."""
    return {
        "task": task,
        "duration": round(transcript.duration, 3),
        "text": joined(word.text for block in transcript.blocks for word in block.words),
        "segments": block_segments(transcript),
        "usage": _usage(transcript),
    }


def block_segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Return the blocks as the segments of ``diarized_json`` and of its events."""
    names = shown_names(transcript.blocks)
    return [
        _block(number, block, names[block.speaker])
        for number, block in enumerate(transcript.blocks)
    ]


def _segment(number: int, cue: Cue) -> dict[str, Any]:
    """Return one segment; what Whisper would have known of its own decoding is neutral."""
    said = cue.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": cue.start_ms / 1000,
        "end": cue.end_ms / 1000,
        "text": cue.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": round(len(said) / len(zlib.compress(said)), 4),
        "no_speech_prob": 0.0,
    }


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}


def _block(number: int, block: Block, speaker: str) -> dict[str, Any]:
    return {
        "type": "transcript.text.segment",
        "id": f"seg_{number:03}",
        "start": round(block.start, 3),
        "end": round(block.end, 3),
        "text": block.text,
        "speaker": speaker,
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": ceil(transcript.duration)}
