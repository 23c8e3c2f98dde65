"""Finds which model a multipart form names while the form passes; files in it are only skipped."""

import re
from typing import Final

_BOUNDARY = re.compile(
    rb'multipart/form-data\s*;.*?boundary=(?:"([^"\r\n]{1,200})"|([^\s";,]{1,200}))',
    re.IGNORECASE | re.DOTALL,
)
_IS_MODEL = re.compile(
    rb'^content-disposition:\s*form-data\s*;(?:.*;)?\s*name="?model"?\s*(?:;|$)',
    re.IGNORECASE | re.MULTILINE,
)
_IS_FILE = re.compile(rb"^content-disposition:.*;\s*filename\*?=", re.IGNORECASE | re.MULTILINE)
_FORM: Final = b"multipart/form-data"
_LONGEST_HEAD: Final = 8192
_LONGEST_NAME: Final = 4096
"""Bytes; what is longer is cut, and nothing is called like that."""

_BEFORE: Final = 0
_HEAD: Final = 1
_VALUE: Final = 2
_OVER: Final = 3


def is_form(content_type: bytes) -> bool:
    """Say whether a body is a form of several parts."""
    return content_type[: len(_FORM)].lower() == _FORM


def boundary_of(content_type: bytes) -> bytes | None:
    """Return the boundary of a multipart form, or None when it is none."""
    found = _BOUNDARY.match(content_type)
    return None if found is None else found[1] or found[2]


class FormField:
    """Follows one form through any segmentation, in memory that does not grow with it.

    Once the form is over, ``named`` is the value of its last field ``model``; a file is no value.
    """

    __slots__ = (
        "_at",
        "_delimiter",
        "_gone",
        "_held",
        "_is_model",
        "_kept",
        "_named",
        "_start",
        "_state",
        "span",
    )

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first one has no line before it.
        self._held = b"\r\n"
        self._at = 0
        """How much of what is held has been read: it is cut off once a feed, not for each part."""
        self._state = _BEFORE
        self._is_model = False
        self._kept = b""
        self._named: str | None = None
        self._gone = -len(self._held)
        """Bytes of the form before those that are held."""
        self._start = 0
        self.span = (0, 0)
        """Where in the form the name stands; (0, 0) when nothing is named."""

    @property
    def so_far(self) -> str | None:
        """The model that the form has named up to here."""
        return self._named

    @property
    def over(self) -> bool:
        """Whether nothing that follows belongs to the form."""
        return self._state == _OVER

    @property
    def named(self) -> str | None:
        """The model that the form names, once it is whole."""
        return self._named if self._state == _OVER else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the form, cut anywhere."""
        self._held += data
        while self._state != _OVER and self._step():
            pass
        self._held = b"" if self._state == _OVER else self._held[self._at :]
        self._gone += self._at
        self._at = 0

    def _step(self) -> bool:
        """Take one thing off what is held; return whether there may be another."""
        if self._state == _HEAD:
            return self._read_head()
        end = self._held.find(self._delimiter, self._at)
        if end < 0:
            # All but what may be the beginning of the delimiter.
            sure = max(self._at, len(self._held) - len(self._delimiter) + 1)
            self._keep(sure)
            self._at = sure
            return False
        self._keep(end)
        self._end_value(self._gone + end)
        self._at = end + len(self._delimiter)
        self._state = _HEAD
        return True

    def _read_head(self) -> bool:
        if self._held.startswith(b"--", self._at):
            self._state = _OVER
            return False
        start = self._at
        end = self._held.find(b"\r\n\r\n", start)
        size = len(self._held) - start
        if end - start > _LONGEST_HEAD or (end < 0 and size > _LONGEST_HEAD + 3):
            self._named, self._state = None, _OVER
            return False
        if end < 0:
            return False
        head = self._held[start:end].replace(b"\r\n", b"\n")
        self._is_model = bool(_IS_MODEL.search(head)) and not _IS_FILE.search(head)
        # The empty line may be the one before the next delimiter, of an empty value.
        self._at = end + 2
        self._start = self._gone + self._at + 2
        self._state = _VALUE
        self._kept = b""
        return True

    def _keep(self, end: int) -> None:
        if self._state == _VALUE and self._is_model and len(self._kept) <= _LONGEST_NAME:
            self._kept += self._held[self._at : min(end, self._at + _LONGEST_NAME + 1)]

    def _end_value(self, end: int) -> None:
        if self._state == _VALUE and self._is_model:
            # Behind the line end that was left there by the head.
            self._named = self._kept[2:].decode("utf-8", "replace")
            self.span = (self._start, max(self._start, end))
            self._kept = b""
