"""What the head of an upstream's answer says: how its body ends, and what is ours to say. Pure."""

import re
from typing import Final

from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.heads import FIELD_LINE
from spark_gateway.dataplane.repeated import NO_LENGTH, Repeated

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\x00-\x08\x0a-\x1f\x7f]*+)?")
_ALLOW_ORIGIN: Final = b"access-control-allow-origin"
_HOP_BY_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te")
)
_OF_STREAMS: Final = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
"""Without these, caches and proxies on the way keep an event stream to themselves."""
_SPECIAL: Final = _HOP_BY_HOP | {
    *(name for name, _ in _OF_STREAMS),
    b"content-length",
    b"transfer-encoding",
    b"content-type",
    b"content-encoding",
    b"x-request-id",
    b"request-id",
    _ALLOW_ORIGIN,
}
_LONGEST: Final = 65536
_INTERIM: Final = 0x31


class AnswerHead:
    """A final head that can be trusted."""

    __slots__ = (
        "_dropped",
        "_line_end",
        "chunked",
        "events",
        "keeps",
        "length",
        "names_id",
        "names_origin",
        "names_own_id",
        "of_stream",
        "plain",
        "status",
    )

    def __init__(self, text: bytes, line: "re.Match[bytes]") -> None:
        """``text``: up to and including its empty line, of which ``line`` is the first.

        Raises FramingError for anything two parsers could understand differently.
        """
        self._line_end = line.end()
        fields = FIELD_LINE.findall(text, self._line_end, len(text) - 2)
        if text.count(b"\n", self._line_end, len(text) - 4) != len(fields):
            raise FramingError("malformed header field")
        special: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            lowered = name.lower()
            if lowered in _SPECIAL:
                special.setdefault(lowered, []).append(value.rstrip(b" \t"))
        lengths, codings = special.get(b"content-length"), special.get(b"transfer-encoding")
        if codings is not None and (
            lengths is not None or [coding.lower() for coding in codings] != [b"chunked"]
        ):
            raise FramingError("ambiguous transfer coding")
        if lengths is not None and (len(lengths) > 1 or not lengths[0].isdigit()):
            raise FramingError("malformed Content-Length")
        named = b",".join(special.get(b"connection", ())).lower()
        options = {option.strip() for option in named.split(b",")}
        self._dropped = _HOP_BY_HOP | (options - {b"content-length", b"transfer-encoding"})
        self.status = int(line[2])
        self.chunked = codings is not None
        self.length = None if lengths is None else int(lengths[0])
        """As it was told when this was read first."""
        self.keeps = line[1] == b"1" and b"close" not in options
        """Whether the connection may be used again once the body is over."""
        self.plain = line[1] == b"1" and special.keys().isdisjoint(_HOP_BY_HOP)
        """Whether it may pass as it is."""
        self.names_id = b"x-request-id" in special
        self.names_own_id = b"request-id" in special
        self.names_origin = _ALLOW_ORIGIN in special
        types = special.get(b"content-type")
        self.events = (
            types is not None
            and b"content-encoding" not in special
            and types[0].lower().startswith(b"text/event-stream")
        )
        """Whether the body, if there is one, is an event stream."""
        self.of_stream = b"".join(
            b"%b: %b\r\n" % (name, value) for name, value in _OF_STREAMS if name not in special
        )
        """Field lines that an event stream should have and this one does not."""

    def rewritten(self, text: bytes, *, decoded: bool) -> bytes:
        """Return the lines of the head that are the client's business, without the empty one."""
        dropped = self._dropped
        if decoded:
            dropped = dropped | {b"transfer-encoding", b"trailer"}
        out = [b"HTTP/1.1", text[8 : self._line_end], b"\r\n"]
        for name, value in FIELD_LINE.findall(text, self._line_end, len(text) - 2):
            if name.lower() not in dropped:
                out += (name, b": ", value, b"\r\n")
        return b"".join(out)


class AnswerHeads:
    """Reads the heads of one upstream, and knows the last one again."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Repeated[AnswerHead] | None = None

    def read(self, data: bytes) -> tuple[AnswerHead | None, int, int, int | None]:
        """Find the final head: return it, where it begins and ends, and the length that it tells.

        None in its place: more of it has to come, and what is before its beginning is of no use.
        Raises FramingError.
        """
        known = self._known
        if known is not None:
            found = known.find(data)
            if found is not None:
                end, length = found
                return known.read, 0, end, known.read.length if length == NO_LENGTH else length
        start = 0
        while True:
            end = data.find(b"\r\n\r\n", start)
            if end < 0 or end - start > _LONGEST:
                if len(data) - start > _LONGEST:
                    raise FramingError("response head too long")
                return None, start, start, None
            line = _STATUS_LINE.fullmatch(data, start, data.find(b"\r\n", start))
            if line is None or line[2] == b"101":
                raise FramingError("malformed status line")
            if line[2][0] != _INTERIM:
                break
            start = end + 4
        text = data[start : end + 4]
        line = _STATUS_LINE.match(text)
        if line is None:
            raise FramingError("malformed status line")
        head = AnswerHead(text, line)
        self._known = Repeated(text, head)
        return head, start, end + 4, head.length
