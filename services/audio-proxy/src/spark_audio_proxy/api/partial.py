"""The error about a long recording of which some parts were heard all the same."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.envelope import RENDERINGS, error_body
from spark_audio_proxy.rendering.documents import text_of
from spark_audio_proxy.transcribing.transcriber import PartialError


def partial_answer(request: Request, error: PartialError) -> Response:
    """Return the error, with ``partial: true`` and the words of the parts that were heard."""
    request.state.problem = error.code
    heard = error.transcript
    body = error_body(error, request.url.path) | {
        "partial": True,
        "duration": round(heard.duration, 3),
        "text": text_of(heard),
        "words": [
            {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in heard.words
        ],
    }
    return JSONResponse(body, RENDERINGS[error.code].status)
