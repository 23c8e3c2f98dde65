"""Reads the body of a request for speech, whichever of the two forms it has."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from spark_audio_proxy.intake.json_form import read_json
from spark_audio_proxy.intake.multipart import read_form
from spark_audio_proxy.intake.upload import Upload
from spark_audio_proxy.problems import SpeechError

_IDLE_SECONDS: Final = 60.0
_LONGEST_BOUNDARY: Final = 200


async def read_upload(request: Request, room: Path) -> Upload:
    """Read a form or JSON into ``room``; the media type decides, its parameters may be odd.

    Raises SpeechError ``unsupported_media_type``, ``invalid_form``, ``file_too_large``,
    ``upload_timeout`` and what the two readers raise.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    body = _pieces(request)
    if kind == b"multipart/form-data":
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
            raise SpeechError("invalid_form", "the media type of the form names no boundary")
        return await read_form(boundary, body, room)
    if kind == b"application/json":
        return await read_json(body, room)
    raise SpeechError(
        "unsupported_media_type",
        "send a form (multipart/form-data) with the field 'file', or JSON with input_audio",
    )


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                piece = await anext(stream, None)
        except TimeoutError as error:
            raise SpeechError(
                "upload_timeout", f"no byte of the upload came for {_IDLE_SECONDS:g} s"
            ) from error
        if piece is None:
            return
        if piece:
            yield piece
