"""A transcript as server-sent events, whole or growing while its parts are finished."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spark_audio_proxy.rendering.cues import cues_of
from spark_audio_proxy.rendering.documents import block_segments
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.words.joining import space_between

KEEP_ALIVE = b": still working\n\n"
"""A comment that every client skips."""


class TranscriptEvents:
    """Deltas whose texts put one behind the other are exactly the text of the last event."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._last = ""

    def said(self, words: Iterable[Word], segment: str | None = None) -> Iterator[bytes]:
        """Yield a delta for each sentence or so of further words; ``segment``: of which block."""
        belongs = {} if segment is None else {"segment_id": segment}
        for cue in cues_of(tuple(words)):
            delta = space_between(self._last, cue.words[0].text) + cue.text
            self._last = cue.words[-1].text
            self._said.append(delta)
            yield event({"type": "transcript.text.delta", "delta": delta, **belongs})

    def done(self) -> bytes:
        """Return the last event."""
        return event({"type": "transcript.text.done", "text": "".join(self._said)})


def transcript_events(transcript: Transcript) -> Iterator[bytes]:
    """Yield all events of a finished transcript; with its blocks, when it has any."""
    events = TranscriptEvents()
    if not transcript.blocks:
        yield from events.said(transcript.words)
    for block, segment in zip(transcript.blocks, block_segments(transcript), strict=True):
        yield from events.said(block.words, segment["id"])
        yield event(segment)
    yield events.done()


def error_event(error: Mapping[str, Any]) -> bytes:
    """Return the event of a failure in the middle; ``error`` is the inner object of OpenAI's."""
    return event({"error": dict(error)})


def event(data: Mapping[str, Any]) -> bytes:
    """Return one server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False, allow_nan=False)}\n\n".encode()
