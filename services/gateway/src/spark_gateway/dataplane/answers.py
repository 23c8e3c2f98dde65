"""An upstream's answer as it passes: where it begins, where it ends, what must not be repeated."""

import re
from typing import Final

from spark_gateway.dataplane.framing import ChunkScanner, FramingError
from spark_gateway.dataplane.heads import FIELD_LINE

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
    _ALLOW_ORIGIN,
}

_HEAD: Final = 0
_LENGTH: Final = 1
_CHUNKED: Final = 2
_UNTIL_CLOSE: Final = 3

_LONGEST_HEAD: Final = 65536
_LONGEST_HOLD: Final = 65536


class Answer:
    """Turns the bytes of one upstream connection into the bytes for one client.

    The body passes byte for byte, chunk framing included; only a client of HTTP/1.0 gets chunks
    decoded. An event stream is passed in whole chunks, so that an error event can always be added.
    """

    continues: Final = False
    """Whether the client has its head already."""
    tail: Final = b""
    """What is still to be said once the upstream has closed."""

    __slots__ = (
        "_decode",
        "_for_browser",
        "_held",
        "_last",
        "_left",
        "_mode",
        "_no_body",
        "_request_id",
        "_scanner",
        "_split_chunk",
        "close",
        "done",
        "events",
        "extra",
        "received",
        "reusable",
        "status",
    )

    def __init__(
        self,
        *,
        request_id: bytes,
        head_only: bool = False,
        http10: bool = False,
        close: bool = False,
        for_browser: bool = False,
    ) -> None:
        """``for_browser``: apps of any origin may read it, whatever the upstream says of it."""
        self.close = close
        """Whether the client is told that its connection ends. May be set until the head passes."""
        self.extra = b""
        """Field lines of ours for the head."""
        self.status = 0
        """0 until the head has passed."""
        self.received = False
        """Whether the upstream said anything at all."""
        self.done = False
        self.reusable = False
        """Once done: whether the upstream connection is in a known state."""
        self.events = False
        """Whether the body is an event stream."""
        self._request_id = request_id
        self._no_body = head_only
        self._for_browser = for_browser
        self._decode = http10
        self._mode = _HEAD
        self._held = b""
        self._last = b""
        self._left = 0
        self._scanner: ChunkScanner | None = None
        self._split_chunk = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the upstream; return what the client is to get now.

        Raises FramingError when the upstream does not speak HTTP.
        """
        if self._scanner is not None:
            return self._feed_chunked(self._scanner, data)
        mode = self._mode
        if mode == _LENGTH:
            return self._feed_length(data)
        if mode == _UNTIL_CLOSE:
            if self.events:
                self._last = data
            return data
        return self._feed_head(data)

    def end(self) -> bool:
        """The upstream closed; return whether that completes the answer."""
        if self._mode == _UNTIL_CLOSE:
            self.done = True
        return self.done

    def last_words(self, event: bytes) -> bytes | None:
        """What to say when the rest will never come: ``event``, framed, in an event stream.

        Empty when nothing can be said. None when closing the connection would look like the
        proper end.
        """
        if self.events and self._mode != _LENGTH and not self._split_chunk:
            payload = self._last.removesuffix(b"\r\n") if self._framed else self._last
            if self._last and not payload.endswith((b"\n\n", b"\r\n\r\n")):
                event = b"\n\n" + event
            return b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event) if self._framed else event
        return None if self._mode == _UNTIL_CLOSE or self._decode else b""

    @property
    def before_events(self) -> bool:
        """Whether it is an event stream of which only the head has come: a prompt is being read."""
        return self.events and not self._last

    @property
    def _framed(self) -> bool:
        return self._mode == _CHUNKED and not self._decode

    def _feed_length(self, data: bytes) -> bytes:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            return data
        self.done = True
        if left == 0:
            return data
        self.reusable = False
        return data[:left]

    def _feed_chunked(self, scanner: ChunkScanner, data: bytes) -> bytes:
        end = scanner.feed(data)
        if end >= 0:
            self.done = True
            if end != len(data):
                self.reusable = False
                data = data[:end]
        if scanner.payload is not None:
            data = b"".join(scanner.payload)
            scanner.payload.clear()
            self._last = data or self._last
            return data
        if not self.events or end >= 0:
            return self._release(data)
        return self._whole_chunks(data, scanner.boundary)

    def _whole_chunks(self, data: bytes, boundary: int) -> bytes:
        """Keep back the chunk that is not complete yet, unless it is unusually long."""
        if boundary == len(data):
            out = self._release(data)
        elif boundary:
            out = self._release(data[:boundary])
            self._held = data[boundary:]
        else:
            self._held += data
            if len(self._held) <= _LONGEST_HOLD and not self._split_chunk:
                return b""
            out = self._release(b"")
            self._split_chunk = True
            return out
        self._split_chunk = False
        self._last = out
        return out

    def _release(self, data: bytes) -> bytes:
        if self._held:
            data, self._held = self._held + data, b""
        return data

    def _feed_head(self, data: bytes) -> bytes:
        self.received = True
        while True:
            data = self._release(data)
            end = data.find(b"\r\n\r\n")
            if end < 0 or end > _LONGEST_HEAD:
                if len(data) > _LONGEST_HEAD:
                    raise FramingError("response head too long")
                self._held = data
                return b""
            line_end = data.find(b"\r\n")
            line = _STATUS_LINE.fullmatch(data, 0, line_end)
            if line is None or line[2] == b"101":
                raise FramingError("malformed status line")
            if line[2][0] != 0x31:
                break
            data = data[end + 4 :]
            if not data:
                return b""
        self.reusable = line[1] == b"1"
        self.status = int(line[2])
        head = self._read_head(data, line_end, end)
        rest = data[end + 4 :]
        if self.done:
            self.reusable = self.reusable and not rest
            return head
        return head + self.feed(rest) if rest else head

    def _read_head(self, data: bytes, line_end: int, end: int) -> bytes:
        fields = FIELD_LINE.findall(data, line_end, end + 2)
        if data.count(b"\n", line_end, end) != len(fields):
            raise FramingError("malformed header field")
        special: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            lowered = name.lower()
            if lowered in _SPECIAL:
                special.setdefault(lowered, []).append(value.rstrip(b" \t"))
        self._choose_mode(special)
        extra = self.extra
        if b"x-request-id" not in special:
            extra += b"x-request-id: %b\r\n" % self._request_id
        if self._for_browser and _ALLOW_ORIGIN not in special:
            extra += b"access-control-allow-origin: *\r\n"
        if self.close:
            extra += b"connection: close\r\n"
        if self.events:
            for name, value in _OF_STREAMS:
                if name not in special:
                    extra += b"%b: %b\r\n" % (name, value)
        if self._decode or data[7] != 0x31 or not special.keys().isdisjoint(_HOP_BY_HOP):
            return self._rewrite(data[8:line_end], fields, special) + extra + b"\r\n"
        return b"%b%b\r\n" % (data[: end + 2], extra)

    def _choose_mode(self, special: dict[bytes, list[bytes]]) -> None:
        lengths = special.get(b"content-length")
        codings = special.get(b"transfer-encoding")
        if b"connection" in special and b"close" in _options(special):
            self.reusable = False
        if codings is not None and (
            lengths is not None or [c.lower() for c in codings] != [b"chunked"]
        ):
            raise FramingError("ambiguous transfer coding")
        if lengths is not None and (len(lengths) > 1 or not lengths[0].isdigit()):
            raise FramingError("malformed Content-Length")
        if self._no_body or self.status in (204, 304):
            self._mode = _LENGTH
            self.done = True
            return
        types = special.get(b"content-type")
        if types is not None and b"content-encoding" not in special:
            self.events = types[0].lower().startswith(b"text/event-stream")
        if codings is not None:
            self._mode = _CHUNKED
            self._scanner = ChunkScanner(keep_payload=self._decode)
            self.close = self.close or self._decode
        elif lengths is not None:
            self._mode = _LENGTH
            self._left = int(lengths[0])
            self.done = self._left == 0
        else:
            self._mode = _UNTIL_CLOSE
            self.reusable = False
            self.close = True

    def _rewrite(
        self,
        after_version: bytes,
        fields: list[tuple[bytes, bytes]],
        special: dict[bytes, list[bytes]],
    ) -> bytes:
        dropped = _HOP_BY_HOP | (_options(special) - {b"content-length", b"transfer-encoding"})
        if self._decode:
            dropped |= {b"transfer-encoding", b"trailer"}
        out = [b"HTTP/1.1", after_version, b"\r\n"]
        for name, value in fields:
            if name.lower() not in dropped:
                out += (name, b": ", value, b"\r\n")
        return b"".join(out)


def _options(special: dict[bytes, list[bytes]]) -> set[bytes]:
    """What the Connection field names."""
    values = b",".join(special.get(b"connection", ())).lower()
    return {option.strip() for option in values.split(b",")}
