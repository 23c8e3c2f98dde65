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

_START: Final = re.compile(rb'"data"\s*:\s*"(?:data:[^",]{0,200},)?')
_LONGEST_START: Final = 512
_PLACE: Final = b'"data":"spooled"'
_STEP: Final = 1024 * 1024
_TRANSLATION: Final = bytes.maketrans(b"-_", b"+/")


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
    before += window[: found.start()]
    after = _copied(source, window[found.end() :], target)
    after += source.read(MOST_TEXT_ALTOGETHER + 1)
    _check(len(before) + len(after))
    return bytes(before) + _PLACE + after


def _check(size: int) -> None:
    if size > MOST_TEXT_ALTOGETHER:
        raise SpeechError("invalid_form", "the JSON beside the recording is too large")


def _copied(source: BinaryIO, piece: bytes, target: Path) -> bytes:
    """Decode base64 up to the closing quote; return what was read beyond it."""
    rest = b""
    with target.open("xb") as file:
        while True:
            text, quote, beyond = piece.partition(b'"')
            # Both alphabets; a backslash stands before a slash where a serialiser is careful.
            text = rest + text.replace(b"\\", b"").translate(_TRANSLATION)
            whole = len(text) // 4 * 4
            _write(file, text[:whole])
            rest = text[whole:]
            piece = b"" if quote else source.read(_STEP)
            if quote or not piece:
                break
        if rest:
            _write(file, rest + b"=" * (-len(rest) % 4))
    return beyond


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
        return value
    return json.dumps(value)
