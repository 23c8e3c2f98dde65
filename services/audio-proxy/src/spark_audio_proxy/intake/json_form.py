"""A recording inside JSON: ``{"model", "language", "input_audio": {"data": base64, "format"}}``."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.intake.multipart import MOST_TEXT_ALTOGETHER
from spark_audio_proxy.intake.upload import Upload
from spark_audio_proxy.problems import SpeechError

_MEMBER: Final = rb'"(?!data")[^"\\]{1,64}"\s{0,9}:\s{0,9}(?:"[^"\\]{0,128}"|[\w.+-]{1,32})\s{0,9},'
_START: Final = re.compile(
    # Whatever else the object tells before its data, such as the format, is passed over.
    rb'"input_audio"\s{0,9}:\s{0,9}\{(?:\s{0,99}' + _MEMBER + rb"){0,4}\s{0,99}"
    rb'("data"\s{0,9}:\s{0,9}"(?:data:[^",]{0,200},)?)'
)
_LONGEST_START: Final = 4096
_PLACE: Final = b'"data":"spooled"'
_STEP: Final = 1024 * 1024
_TRANSLATION: Final = bytes.maketrans(b"-_", b"+/")
"""Both alphabets of base64."""
_ESCAPES: Final = {
    b"\\/": b"/", b"\\n": b"", b"\\r": b"", b"\\t": b"",
    b"\\u002b": b"+", b"\\u002B": b"+", b"\\u002f": b"/", b"\\u002F": b"/",
    b"\\u003d": b"=", b"\\u003D": b"=",
}  # fmt: skip
"""What careful serialisers write for the signs of base64 and for the ends of its lines."""
_LONGEST_ESCAPE: Final = 6
_BLANK: Final = b" \t\r\n"


async def read_json(body: AsyncIterator[bytes], room: Path) -> Upload:
    """Read the JSON of a transcription; its recording is never in memory as a whole.

    Raises SpeechError ``invalid_form``, ``missing_file``, ``invalid_audio``.
    """
    spooled = room / "body.json"
    with spooled.open("xb") as file:
        async for piece in body:
            await asyncio.to_thread(file.write, piece)
    return await asyncio.to_thread(_read, spooled, room / "file")


def _read(spooled: Path, target: Path) -> Upload:
    with spooled.open("rb") as source:
        text = _without_recording(source, target)
    spooled.unlink()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpeechError("invalid_form", "the body is not JSON") from error
    if not isinstance(content, dict):
        raise SpeechError("invalid_form", "the body must be a JSON object")
    audio = content.pop("input_audio", None)
    spoke = isinstance(audio, dict) and audio.get("data") == "spooled"
    return Upload(Fields(_pairs(content)), {"file": target} if spoke and target.exists() else {})


def _without_recording(source: BinaryIO, target: Path) -> bytes:
    """Return the JSON with a short word for the recording, which goes into ``target``."""
    before, window = bytearray(), b""
    while True:
        piece = source.read(_STEP)
        window += piece
        found = _START.search(window)
        if not piece or (found and len(window) - found.end() > _LONGEST_START):
            break
        if found is None:
            before += window[:-_LONGEST_START]
            window = window[-_LONGEST_START:]
            _check(len(before))
    if found is None:
        return bytes(before + window)
    before += window[: found.start(1)]
    after = _copied(source, window[found.end() :], target)
    after += source.read(MOST_TEXT_ALTOGETHER + 1)
    _check(len(before) + len(after))
    return bytes(before) + _PLACE + after


def _check(size: int) -> None:
    if size > MOST_TEXT_ALTOGETHER:
        raise SpeechError("invalid_form", "the JSON beside the recording is too large")


def _copied(source: BinaryIO, piece: bytes, target: Path) -> bytes:
    """Decode base64 up to the closing quote; return what was read beyond it."""
    rest = begun = b""
    with target.open("xb") as file:
        while True:
            text, quote, beyond = (begun + piece).partition(b'"')
            text, begun = (text, b"") if quote else _before_escape(text)
            text = rest + _unescaped(text).translate(_TRANSLATION, _BLANK)
            whole = len(text) // 4 * 4
            _write(file, text[:whole])
            rest = text[whole:]
            piece = b"" if quote else source.read(_STEP)
            if quote or not piece:
                break
        if rest:
            _write(file, rest + b"=" * (-len(rest) % 4))
    return beyond


def _before_escape(text: bytes) -> tuple[bytes, bytes]:
    """Cut off an escape at the end whose other half may still come."""
    at = text.rfind(b"\\", max(0, len(text) - _LONGEST_ESCAPE))
    return (text, b"") if at < 0 else (text[:at], text[at:])


def _unescaped(text: bytes) -> bytes:
    """Return base64 without escapes; one that has no business in it stays, and is no base64."""
    if b"\\" in text:
        for escape, meaning in _ESCAPES.items():
            text = text.replace(escape, meaning)
    return text


def _write(file: BinaryIO, text: bytes) -> None:
    try:
        file.write(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise SpeechError(
            "invalid_audio", "input_audio.data is not base64", param="input_audio"
        ) from error


def _pairs(content: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, list):
            pairs += [(f"{name}[]", _text(item)) for item in value]
        elif isinstance(value, dict):
            pairs += [(f"{name}[{key}]", _text(item)) for key, item in value.items()]
        elif value is not None:
            pairs.append((name, _text(value)))
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, str):
        # Half of a pair of surrogates is no character, and could not be written into an answer.
        return value.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(value)
