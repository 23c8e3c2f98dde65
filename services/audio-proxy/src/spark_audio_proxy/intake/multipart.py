"""A multipart form in pieces: text into memory within bounds, recordings straight to disk."""

import asyncio
from collections.abc import AsyncIterator
from email.message import Message
from pathlib import Path
from typing import BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.intake.upload import FILE_NAMES, Upload
from spark_audio_proxy.problems import SpeechError

MOST_FIELDS: Final = 64
MOST_TEXT: Final = 6 * 1024 * 1024
"""Of one field: a reference of ten seconds in stereo has 2.3 MB as text."""
MOST_TEXT_ALTOGETHER: Final = 26 * 1024 * 1024
_MOST_HEADERS: Final = 16 * 1024
_FLUSH: Final = 1024 * 1024


async def read_form(boundary: bytes, body: AsyncIterator[bytes], room: Path) -> Upload:
    """Read a form whose fields may come in any order.

    Raises SpeechError ``invalid_form`` for bytes that are none, or that end too early.
    """
    reader = _FormReader(boundary, room)
    try:
        async for piece in body:
            reader.feed(piece)
            if reader.unwritten >= _FLUSH:
                await asyncio.to_thread(reader.flush)
        reader.finish()
        await asyncio.to_thread(reader.flush)
    except FormParserError as error:
        raise SpeechError(
            "invalid_form", "the form cannot be read: it is cut or malformed"
        ) from error
    finally:
        reader.close()
    return Upload(Fields(reader.texts), reader.files)


class _FormReader:
    """Keeps what the parser finds; what goes to disk is written in a few large pieces."""

    def __init__(self, boundary: bytes, room: Path) -> None:
        self.texts: list[tuple[str, str]] = []
        self.files: dict[str, Path] = {}
        self.unwritten = 0
        self._room = room
        self._count = 0
        self._all_text = 0
        self._ended = False
        self._first = b"\n--" + boundary
        self._ahead: bytes | None = b"\n"
        self._header_bytes = 0
        self._header_name, self._header_value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._text: bytearray | None = None
        self._file: BinaryIO | None = None
        self._pieces: list[tuple[BinaryIO, bytearray]] = []
        """One for each file, however small the parts are in which it comes."""
        self._open: list[BinaryIO] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_field,
                "on_header_value": self._header_text,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._all_ends,
            },
            max_header_size=_MOST_HEADERS,
        )

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body; what stands before the first boundary is no part."""
        if self._ahead is not None:
            piece = self._ahead + piece
            found = piece.find(self._first)
            if found < 0:
                self._ahead = piece[-len(self._first) :]
                return
            self._ahead = None
            piece = piece[found + 1 :]
        self._parser.write(piece)

    def finish(self) -> None:
        """Say that there are no more; raises SpeechError when the form is not whole."""
        self._parser.finalize()
        if not self._ended:
            raise SpeechError("invalid_form", "the form ends before its last boundary")

    def flush(self) -> None:
        """Write what was collected; blocks."""
        pieces, self._pieces, self.unwritten = self._pieces, [], 0
        for file, piece in pieces:
            file.write(piece)
        if self._ended:
            for file in self._open:
                file.flush()

    def close(self) -> None:
        """Close the files."""
        for file in self._open:
            file.close()

    def _part_begins(self) -> None:
        self._count += 1
        if self._count > MOST_FIELDS:
            raise SpeechError("invalid_form", f"the form has more than {MOST_FIELDS} fields")
        self._headers, self._header_bytes = {}, 0
        self._header_name, self._header_value = b"", b""
        self._text = self._file = None

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._count_header(end - start)

    def _header_text(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._count_header(end - start)

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _MOST_HEADERS:
            raise SpeechError("invalid_form", "a field of the form has too long a head")

    def _header_ends(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name, self._header_value = b"", b""

    def _headers_end(self) -> None:
        disposition = Message()
        # Names are UTF-8 in practice; what is not may not be a name of ours anyway.
        disposition["content-disposition"] = self._headers.get(b"content-disposition", b"").decode(
            "utf-8", "replace"
        )
        name = disposition.get_param("name", header="content-disposition")
        filename = disposition.get_param("filename", header="content-disposition")
        self._name = name if isinstance(name, str) else ""
        if self._name in FILE_NAMES:
            if self._name in self.files:
                raise SpeechError(
                    "invalid_form", f"the field {self._name!r} was sent twice", param=self._name
                )
            path = self._room / self._name
            self._file = path.open("xb")
            self._open.append(self._file)
            self.files[self._name] = path
        elif filename is None:
            self._text = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            if not self._pieces or self._pieces[-1][0] is not self._file:
                self._pieces.append((self._file, bytearray()))
            self._pieces[-1][1].extend(data[start:end])
            self.unwritten += end - start
        elif self._text is not None:
            self._all_text += end - start
            self._text += data[start:end]
            if len(self._text) > MOST_TEXT or self._all_text > MOST_TEXT_ALTOGETHER:
                raise SpeechError(
                    "invalid_form",
                    f"a text field is larger than {MOST_TEXT // (1024 * 1024)} MB",
                    param=self._name[:64] or None,
                )

    def _part_ends(self) -> None:
        if self._text is not None and self._name:
            self.texts.append((self._name, self._text.decode("utf-8", "replace")))
        self._text = self._file = None

    def _all_ends(self) -> None:
        self._ended = True
