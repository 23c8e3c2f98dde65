"""An upstream's answer as it passes: where it begins, where it ends, what must not be repeated."""

from typing import Final

from spark_gateway.dataplane.answer_head import AnswerHead, AnswerHeads
from spark_gateway.dataplane.framing import ChunkScanner
from spark_gateway.dialect import EXPOSED

_HEAD: Final = 0
_LENGTH: Final = 1
_CHUNKED: Final = 2
_UNTIL_CLOSE: Final = 3

_LONGEST_HOLD: Final = 65536
_READABLE: Final = (
    b"access-control-allow-origin: *\r\naccess-control-expose-headers: %b\r\n" % EXPOSED.encode()
)


class Answer:
    """Turns the bytes of one upstream connection into the bytes for one client.

    The body passes byte for byte, chunk framing included; only a client of HTTP/1.0 gets chunks
    decoded. An event stream is passed in whole chunks, so that an error event can always be added.
    """

    continues: Final = False
    """Whether the client has its head already."""
    tail: Final = b""
    """What is still to be said once the upstream has closed."""

    # Defaults of the class, so that an answer pays only for what it sets.
    close: bool = False
    """Whether the client is told that its connection ends. May be set until the head passes."""
    extra: bytes = b""
    """Field lines of ours for the head."""
    status: int = 0
    """0 until the head has passed."""
    received: bool = False
    """Whether the upstream said anything at all."""
    done: bool = False
    reusable: bool = False
    """Once done: whether the upstream connection is in a known state."""
    events: bool = False
    """Whether the body is an event stream."""
    _no_body: bool = False
    _for_browser: bool = False
    _for_anthropic: bool = False
    _decode: bool = False
    _mode: int = _HEAD
    _held: bytes = b""
    _last: bytes = b""
    _left: int = 0
    _scanner: ChunkScanner | None = None
    _split_chunk: bool = False

    def __init__(
        self,
        *,
        request_id: bytes,
        head_only: bool = False,
        http10: bool = False,
        close: bool = False,
        for_browser: bool = False,
        for_anthropic: bool = False,
        heads: AnswerHeads | None = None,
    ) -> None:
        """``for_browser``: apps of any origin may read it, whatever the upstream says of it.

        ``for_anthropic``: Anthropic's clients know the request by a field of their own.
        ``heads``: what reads those of the same upstream.
        """
        self._request_id = request_id
        self._heads = heads or AnswerHeads()
        if close:
            self.close = True
        if head_only:
            self._no_body = True
        if for_browser:
            self._for_browser = True
        if for_anthropic:
            self._for_anthropic = True
        if http10:
            self._decode = True

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
        if self.events and scanner.boundary == len(data) and end < 0 and not self._held:
            # Whole chunks and nothing else.
            self._split_chunk = False
            if scanner.payload is None:
                self._last = data
                return data
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
        if self._held:
            data = self._release(data)
        head, start, end, length = self._heads.read(data)
        if head is None:
            self._held = data[start:]
            return b""
        self.status = head.status
        self._choose_mode(head, length)
        out = self._written(head, data[start:end])
        if end == len(data):
            return out
        rest = data[end:]
        if self.done:
            self.reusable = False
            return out
        return out + self.feed(rest)

    def _written(self, head: AnswerHead, text: bytes) -> bytes:
        """Return the head as the client gets it."""
        extra = self.extra
        if not head.names_id:
            extra += b"x-request-id: %b\r\n" % self._request_id
        if self._for_anthropic and not head.names_own_id:
            extra += b"request-id: %b\r\n" % self._request_id
        if self._for_browser and not head.names_origin:
            extra += _READABLE
        if self.close:
            extra += b"connection: close\r\n"
        if self.events:
            extra += head.of_stream
        if self._decode or not head.plain:
            return b"%b%b\r\n" % (head.rewritten(text, decoded=self._decode), extra)
        return b"%b%b\r\n" % (text[:-2], extra)

    def _choose_mode(self, head: AnswerHead, length: int | None) -> None:
        self.reusable = head.keeps
        if self._no_body or head.status in (204, 304):
            self._mode = _LENGTH
            self.done = True
            return
        if head.events:
            self.events = True
        if head.chunked:
            self._mode = _CHUNKED
            self._scanner = ChunkScanner(keep_payload=self._decode)
            if self._decode:
                self.close = True
        elif length is not None:
            self._mode = _LENGTH
            self._left = length
            self.done = length == 0
        else:
            self._mode = _UNTIL_CLOSE
            self.reusable = False
            self.close = True
