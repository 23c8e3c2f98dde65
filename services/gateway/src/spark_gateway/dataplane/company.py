"""An event stream that began before there was an answer: comments, and then what comes of it."""

import json
from collections.abc import Sequence
from typing import Final

from spark_gateway.dataplane.answer_head import AnswerHeads
from spark_gateway.dataplane.answers import Answer
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Field
from spark_gateway.dataplane.refusals import error_body
from spark_gateway.dialect import EXPOSED, speaks_anthropic

_LONGEST_ERROR: Final = 65536
_MESSAGES: Final = b"/v1/messages"
_ANYBODY: Final = b"access-control-allow-origin: *\r\naccess-control-expose-headers: "


def opening(path: bytes, common: Sequence[Field], request_id: bytes, *, http10: bool) -> bytes:
    """The head of such a stream. ``common`` are the server's own fields."""
    out = [b"HTTP/1.1 200 OK\r\n"]
    for name, value in common:
        out += (name, b": ", value, b"\r\n")
    if path.startswith(_MESSAGES):
        out += (b"request-id: ", request_id, b"\r\n")
    out += (
        b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
        b"x-accel-buffering: no\r\n",
        _ANYBODY,
        EXPOSED.encode(),
        b"\r\nx-request-id: ",
        request_id,
        b"\r\nconnection: close\r\n\r\n" if http10 else b"\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    return b"".join(out)


def comment(position: int, *, http10: bool) -> bytes:
    """A sign of life that clients skip, with the place in line of who stands in one."""
    text = b": waiting, number %d in line\n\n" % position if position else b": waiting\n\n"
    return _framed(text, http10=http10)


def closing_error(path: bytes, body: bytes, *, http10: bool) -> bytes:
    """The end of such a stream when there is no answer: the error as its only event."""
    event = _framed(error_event(path, body), http10=http10)
    return event if http10 else event + b"0\r\n\r\n"


def answer_to(
    head: RequestHead, request_id: bytes, heads: AnswerHeads, *, continues: bool
) -> "Answer | ContinuedAnswer":
    """What turns the upstream's bytes into the client's; ``continues`` such a stream."""
    if continues:
        return ContinuedAnswer(
            head.path, request_id=request_id, http10=head.http10, close=head.close
        )
    return Answer(
        request_id=request_id,
        head_only=head.method == b"HEAD",
        http10=head.http10,
        close=head.close,
        for_browser=head.has_origin,
        for_anthropic=head.path.startswith(_MESSAGES),
        heads=heads,
    )


class ContinuedAnswer:
    """An upstream's answer as the rest of such a stream: its head is gone, its events pass.

    What is no event stream, an error in most cases, becomes the one event it ends with; what says
    of no error is told as one, since a client that asked for a stream would take it for an end.
    """

    __slots__ = (
        "_foreign",
        "_http10",
        "_inner",
        "_kept",
        "_path",
        "close",
        "done",
        "extra",
        "tail",
    )

    continues: Final = True
    events: Final = True
    """See ``Answer``."""

    def __init__(self, path: bytes, *, request_id: bytes, http10: bool, close: bool) -> None:
        self.close = close or http10
        self.done = False
        self.extra = b""
        """See ``Answer``; here they come too late."""
        self.tail = b""
        """What is still to be said once the upstream has closed."""
        self._path = path
        self._http10 = http10
        self._inner = Answer(request_id=request_id, http10=True)
        self._foreign: bool | None = None
        """Whether it is no event stream; None until its head has passed."""
        self._kept = b""

    @property
    def status(self) -> int:
        """See ``Answer``."""
        return self._inner.status

    @property
    def received(self) -> bool:
        """See ``Answer``."""
        return self._inner.received

    @property
    def before_events(self) -> bool:
        """See ``Answer``."""
        return self._inner.before_events

    @property
    def reusable(self) -> bool:
        """See ``Answer``."""
        return self._inner.reusable

    def feed(self, data: bytes) -> bytes:
        """See ``Answer``."""
        inner = self._inner
        out = inner.feed(data)
        if self._foreign is None:
            if not inner.status:
                return b""
            self._foreign = inner.status != 200 or not inner.events
            out = out[out.find(b"\r\n\r\n") + 4 :]
        if self._foreign:
            self._kept += out[: _LONGEST_ERROR - len(self._kept)]
            out = b""
        if inner.done:
            self.done = True
            return _framed(out, http10=self._http10) + self._end()
        return _framed(out, http10=self._http10)

    def end(self) -> bool:
        """See ``Answer``."""
        if self._inner.end():
            self.done = True
            self.tail = self._end()
        return self.done

    def last_words(self, event: bytes) -> bytes | None:
        """See ``Answer``."""
        words = self._inner.last_words(event)
        if self._foreign is False:
            # What passed may end in the middle of an event.
            event = words or b"\n\n" + event
        return _framed(event, http10=self._http10) + (b"" if self._http10 else b"0\r\n\r\n")

    def _end(self) -> bytes:
        if not self._foreign:
            return b"" if self._http10 else b"0\r\n\r\n"
        error = self._kept if _says_error(self._kept) else self._no_stream()
        return closing_error(self._path, error, http10=self._http10)

    def _no_stream(self) -> bytes:
        status = self.status
        message = f"the server answered with status {status} and not with a stream"
        return error_body(
            self._path,
            status if status >= 400 else 502,
            "upstream_unavailable",
            message,
            source="upstream",
        )


def _says_error(body: bytes) -> bool:
    """Whether a client's library would find an error in this."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("error"), dict)


def error_event(path: bytes, body: bytes) -> bytes:
    """An error as an event of a stream."""
    name = b"event: error\n" if speaks_anthropic(path.decode("latin-1")) else b""
    lines = b"\ndata: ".join(body.splitlines())
    return b"%bdata: %b\n\n" % (name, lines)


def _framed(payload: bytes, *, http10: bool) -> bytes:
    if http10 or not payload:
        return payload
    return b"%x\r\n%b\r\n" % (len(payload), payload)
