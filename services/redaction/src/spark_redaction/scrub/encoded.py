"""Base64 and hexadecimal text: decoded, and hidden whole when something personal is inside."""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final

from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.view import View

_RUN: Final = Pattern(rb"[A-Za-z0-9+/_\-]{12,}={0,2}", any_case=False)
_MOST: Final = 64
_LONGEST: Final = 20_000


def encoded(view: View, holds: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Ranges whose decoded text ``holds`` something."""
    tried = 0
    for match in _RUN.matches(view):
        run = match[0]
        if len(run) > _LONGEST or not _looks_encoded(run):
            continue
        tried += 1
        if tried > _MOST:
            return
        if any(holds(text) for text in _decodings(run)):
            yield match.span()


def _looks_encoded(run: bytes) -> bool:
    if run.endswith(b"=") or (
        len(run) >= 16
        and len(run) % 2 == 0
        and not run.strip(b"0123456789abcdefABCDEF")
        and not run.isdigit()
    ):
        return True
    mixed = run.lower() != run and run.upper() != run
    return mixed and (len(run) % 4 == 0 or len(run) >= 16) and b"/" not in run.strip(b"/")[:3]


def _decodings(run: bytes) -> Iterator[str]:
    bare = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    candidates = []
    try:
        candidates.append(base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        pass
    try:
        candidates.append(bytes.fromhex(run.decode()))
    except ValueError:
        pass
    for octets in candidates:
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if text and sum(
            character.isprintable() or character.isspace() for character in text
        ) >= 0.95 * len(text):
            yield text
