"""Whether a JSON body asks for an event stream, told without parsing it. Pure."""

import re
from typing import Final

_OTHER = rb'"(?!stream"[ \t\r\n]*+:)(?:[^"\\]++|\\.)*+"'
# Strings go, as many at once as stand between two brackets; what is left is small. The key stays.
_STRINGS = re.compile(
    rb'("stream")(?=[ \t\r\n]*+:)|' + _OTHER + rb'(?:[^"{}\[\]]++|' + _OTHER + rb")*+", re.DOTALL
)
_TRUE = re.compile(rb"[ \t\r\n]*+:[ \t\r\n]*+true\b")
_LONG: Final = 4096
_BEHIND_A_KEY: Final = b" \t\r\n:"
_THAT_MATTER: Final = (b"\\", b"{", b"}", b"[", b"]")


def asks_for_stream(body: bytes) -> bool:
    """Say whether ``stream`` of the outermost object is true; the last of several counts.

    Takes time that grows with the body alone. Means nothing where the body is no JSON, and the key
    has to be spelled without escapes, as every client does.
    """
    if len(body) > _LONG:
        # Pictures: what is taken out byte by byte would hold up everybody.
        body = b'"'.join(b"" if _is_filling(part) else part for part in body.split(b'"'))
    depth, asked = 0, False
    for number, part in enumerate(_STRINGS.sub(rb"\1", body).split(b'"stream"')):
        if number and depth == 1:
            asked = _TRUE.match(part) is not None
        depth += part.count(b"{") + part.count(b"[") - part.count(b"}") - part.count(b"]")
    return asked


def _is_filling(part: bytes) -> bool:
    """Whether what stands between two quotes is long, and says nothing within a string or not."""
    if len(part) < _LONG or part[:1] in _BEHIND_A_KEY:
        return False
    return not any(letter in part for letter in _THAT_MATTER)
