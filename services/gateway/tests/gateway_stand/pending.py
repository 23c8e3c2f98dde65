"""Requests about which the test decides, when it wants to, and a watcher that remembers."""

from dataclasses import dataclass, field

from spark_gateway.dataplane.ports import Edit, Passage, Upstream
from spark_gateway.dataplane.refusals import refuse

BODY = b'{"model":"auto","stream":true}'
EDIT = Edit(10, 14, b"a-much-longer-name")
EDITED = b'{"model":"a-much-longer-name","stream":true}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
NO = refuse(b"/v1/chat/completions", 503, "model_loading", "not yet")


@dataclass
class SlowVisit:
    """Decides when the test says so."""

    host: object
    watcher: object
    room: int = 1 << 20
    needs_more: bool = False
    reads: bool = True
    position: int = 0
    body: bytes = b""
    calls: list[str] = field(default_factory=list)
    refused: object = None
    decide_at: dict = field(default_factory=dict)

    def _at(self, moment):
        self.calls.append(moment)
        if moment in self.decide_at:
            self.host.decided(self.decide_at[moment])

    def begin(self):
        self._at("begin")

    def feed(self, content, *, last):
        self.body += content
        if last:
            self._at("whole")

    def full(self):
        self._at("full")

    def verdict(self):
        self.calls.append("verdict")
        return self.refused

    def left(self):
        self.calls.append("left")


class Notes:
    """A watcher that remembers."""

    wants_data = True
    wants_body = True

    def __init__(self, body=b""):
        self.answer = b""
        self.body = body
        self.ends = []
        self.went_to = []

    def known(self, identity): ...
    def named(self, model): ...
    def waited(self, seconds, why): ...

    def sent(self, upstream):
        self.went_to.append(upstream.name)
        return b"x-extra: 1\r\n"

    def received(self, content):
        self.body += content

    def passed(self, data):
        self.answer += data

    answered = passed

    def begins(self, data):
        self.passed(data)
        return self.passed

    def ended(self, status, how):
        self.ends.append((status, how))


class SlowDesk:
    """Gives every request a visit of its own."""

    def __init__(self, **options):
        self.visits = []
        self.options = options

    def receive(self, head, peer, watcher, host, body=b""):
        visit = SlowVisit(host, watcher, **self.options)
        self.visits.append(visit)
        return visit


@dataclass
class Scene:
    plane: object
    desk: SlowDesk
    notes: list

    @property
    def visit(self):
        return self.desk.visits[-1]

    @property
    def to_upstream(self):
        return Upstream("127.0.0.1", self.plane.upstream.port)

    def let_pass(self, *edits, **more):
        self.visit.host.decided(Passage(self.to_upstream, edits, **more))


def post(body=BODY, more=b"", version=b"1.1"):
    head = b"POST /v1/chat/completions HTTP/%b\r\nHost: g\r\n%bContent-Length: %d\r\n\r\n"
    return head % (version, more, len(body)) + body


def chunked(body=BODY, size=7):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        + b"0\r\n\r\n"
    )
