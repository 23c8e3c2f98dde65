"""The error about a long recording of which some parts were heard all the same."""

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.envelope import RENDERINGS, error_body
from spark_audio_proxy.rendering.documents import text_of
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.transcribing.partial import PartialError


def partial_answer(request: Request, error: PartialError) -> Response:
    """Return the error, with ``partial: true`` and the words of the parts that were heard."""
    request.state.problem = error.code
    body = error_body(error, request.url.path) | partial_document(error.transcript)
    return JSONResponse(body, RENDERINGS[error.code].status)


def partial_document(heard: Transcript) -> dict[str, JsonValue]:
    """Return what is known of a recording of which parts are missing."""
    return {
        "partial": True,
        "duration": round(heard.duration, 3),
        "text": text_of(heard),
        "words": [_word(word) for word in heard.words],
    }


def _word(word: Word) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {
        "word": word.text, "start": round(word.start, 3), "end": round(word.end, 3),
    }  # fmt: skip
    return told if word.speaker is None else {**told, "speaker": word.speaker}
