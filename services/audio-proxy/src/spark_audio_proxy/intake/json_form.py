"""A recording inside JSON: ``{"model", "language", "input_audio": {"data": base64, "format"}}``."""

import asyncio
import base64
import binascii
import json
import mmap
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.intake.multipart import MOST_TEXT_ALTOGETHER
from spark_audio_proxy.intake.upload import Upload
from spark_audio_proxy.problems import SpeechError

_DATA: Final = re.compile(rb'"data"\s*:\s*"(?:data:[^",]{0,200},)?((?:[A-Za-z0-9+/=_-]|\\/)*+)"')
"""Found in the file without reading it into memory; base64 has nothing to escape but ``\\/``."""
_PLACE: Final = b'"data":"spooled"'
_STEP: Final = 4 * 1024 * 1024
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
    if spooled.stat().st_size == 0:
        raise SpeechError("invalid_form", "the body is empty")
    with (
        spooled.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        found = _DATA.search(mapped)
        if found is not None:
            _decode(mapped, found.start(1), found.end(1), target)
            before, after = found.start(), len(mapped) - found.end()
            if before + after > MOST_TEXT_ALTOGETHER:
                raise SpeechError("invalid_form", "the JSON beside the recording is too large")
            text = mapped[:before] + _PLACE + mapped[found.end() :]
        elif len(mapped) > MOST_TEXT_ALTOGETHER:
            raise SpeechError("invalid_form", "the JSON has no input_audio.data and is too large")
        else:
            text = mapped[:]
        found = None
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


def _decode(mapped: mmap.mmap, start: int, end: int, target: Path) -> None:
    rest = b""
    with target.open("xb") as file:
        for at in range(start, end, _STEP):
            piece = mapped[at : min(end, at + _STEP)]
            # Both alphabets; a backslash stands before a slash where a serialiser is careful.
            piece = rest + piece.replace(b"\\", b"").translate(_TRANSLATION)
            whole = len(piece) // 4 * 4
            rest = piece[whole:]
            _write(file, piece[:whole])
        if rest:
            _write(file, rest + b"=" * (-len(rest) % 4))


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
