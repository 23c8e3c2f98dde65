"""The body of a request that is a question and no recording: it fits into memory."""

from starlette.requests import Request

from spark_audio_proxy.problems import SpeechError


async def read_small_body(request: Request, most_bytes: int) -> bytes:
    """Return the body; raises SpeechError ``file_too_large``, and no more of it is read."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise SpeechError("file_too_large", f"the body is larger than {most_bytes // 1024} KB")
    return bytes(body)
