"""Request heads: strict reading, and writing them anew for an upstream. Pure."""

import re
from dataclasses import dataclass, field
from typing import Final

from spark_gateway.dataplane.caller_field import withheld_from
from spark_gateway.dataplane.ports import Field, Upstream
from spark_gateway.dialect import VERSIONLESS, is_passed_on

# A field line, from the CRLF before it. Possessive, so that hostile input costs linear time. A line
# that this does not match entirely is not skipped: the caller compares the number of lines.
FIELD_LINE = re.compile(
    rb"\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)(?=\r\n)"
)
_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([\x21\x22\x24-\x7e]++) HTTP/(\d)\.(\d)"
)
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_SLASHES = re.compile(rb"/{2,}")
_DOT_SEGMENT = re.compile(rb"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)

METHODS: Final = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
"""What anybody behind this port may answer to."""
PASS: Final = b"x-spark-control-pass"
"""Field in which the gateway's own question shows that it is one; never passed on."""
_DROPPED: Final = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        PASS,
    )
)
# Servers that map "_" to "-" would read these as framing.
_DISGUISED: Final = frozenset((b"content_length", b"transfer_encoding"))
_RETRIES: Final = b"x-stainless-retry-count"
_SPECIAL: Final = _DROPPED | _DISGUISED | {b"x-request-id", b"origin", b"content-type", _RETRIES}
_KEEP_ALIVE_OPTIONS: Final = frozenset((b"close", b"keep-alive", b""))


class HeadError(Exception):
    """A request head that must not be acted on. The connection cannot be trusted any further."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.path = b""
        """What was asked for, as far as it can be told: it decides the dialect of the answer."""


@dataclass
class RequestHead:
    """A valid request head, framing decided.

    It may come again, on any connection, while requests with it are under way: what is written
    here must depend on nothing but its bytes.
    """

    method: bytes
    target: bytes
    """Origin form: path and query."""
    path: bytes
    fields: list[Field]
    """End-to-end fields, in order, names as sent."""
    http10: bool = False
    length: int | None = None
    """Content-Length, absent when there is none."""
    chunked: bool = False
    close: bool = False
    """Whether the client wants the connection closed after the answer."""
    expects_continue: bool = False
    request_id: bytes | None = None
    shown_pass: bytes | None = None
    """What the request shows to be let through although a swap keeps others off."""
    has_origin: bool = False
    """Whether a browser asks, for an app that came from somewhere."""
    websocket: bool = False
    """Whether the client wants to go on as a WebSocket."""
    client_retries: int = 0
    """How often the client says that it asked the same before."""
    rewritten: bool = False
    """Whether ``target`` differs from what the client wrote."""
    content_type: bytes = b""

    # What others found out about it, which depends on nothing else.
    relayable: bool = field(default=False, compare=False)
    """Whether it was found to be data plane and fit to be passed on."""
    shown_key: str | None = field(default=None, compare=False)
    """The API key that it shows, once somebody looked."""
    key_sought: bool = field(default=False, compare=False)
    """Whether somebody looked for a key in it."""
    key_digest: str | None = field(default=None, compare=False)
    """The hash of that key."""
    keyless: list[Field] = field(default_factory=list, compare=False)
    """The fields that hold no key of ours, once somebody looked for one."""
    upward: "tuple[Upstream, bool, bytes] | None" = field(default=None, compare=False)
    """How it begins for this upstream, without keys or not: all but what differs from request to
    request."""

    def of_length(self, length: int) -> "RequestHead":
        """Return the same head with a body of another length."""
        if length == self.length:
            return self
        # Nearly every request has another: a tenth of what ``replace`` takes.
        other = object.__new__(RequestHead)
        other.__dict__.update(self.__dict__)
        other.length = length
        return other


def find_head(data: bytes, scanned: int, limit: int) -> int:
    """Return where the head at the start of ``data`` ends, 0 when it is not complete.

    ``scanned`` bytes were looked at before. Raises HeadError as soon as the head is too large or
    has a line that other parsers would see and this one would not.
    """
    end = data.find(b"\r\n\r\n", max(0, scanned - 3)) + 4
    if end > limit or (end < 4 and len(data) > limit):
        raise HeadError(431, "the request head is too large")
    if end >= 4:
        return end
    position = data.find(b"\n", scanned)
    while position >= 0:
        if position == 0 or data[position - 1] != 0x0D:
            raise HeadError(400, "line feed without carriage return")
        position = data.find(b"\n", position + 1)
    return 0


def likely_path(data: bytes) -> bytes:
    """Return the path that a head which cannot be read probably asks for, else nothing."""
    words = data.partition(b"\r\n")[0].split(b" ", 2)
    path = words[1].partition(b"?")[0] if len(words) > 1 else b""
    absolute = _ABSOLUTE.match(path)
    return _meant(path[absolute.end() :] if absolute is not None else path)


def parse_request(head: bytes) -> RequestHead:
    """Read a head: everything up to and including its empty line.

    Raises HeadError for anything two parsers could understand differently.
    """
    end = head.find(b"\r\n")
    line = _REQUEST_LINE.fullmatch(head, 0, end)
    if line is None:
        raise HeadError(400, "malformed request line")
    version = (line[3], line[4])
    if version not in ((b"1", b"1"), (b"1", b"0")):
        raise HeadError(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    found = FIELD_LINE.findall(head, end, len(head) - 2)
    if head.count(b"\n", end) != len(found) + 2 or head.count(b"\r", end) != len(found) + 2:
        raise HeadError(400, "malformed header field")
    target = line[2]
    parsed = RequestHead(line[1], target, b"", [], http10=version == (b"1", b"0"))
    _set_target(parsed, target)
    _sort_fields(parsed, found)
    return parsed


def _set_target(parsed: RequestHead, target: bytes) -> None:
    if target[0] != 0x2F:
        if parsed.method == b"CONNECT":
            raise HeadError(405, "this is not a forward proxy")
        if target != b"*":
            absolute = _ABSOLUTE.match(target)
            if absolute is None:
                raise HeadError(400, "malformed request target")
            target = target[absolute.end() :]
            if not target.startswith(b"/"):
                target = b"/" + target
    if target.startswith(b"//"):
        target = b"/" + target.lstrip(b"/")
    query = target.find(b"?")
    path = target if query < 0 else target[:query]
    if not path.startswith(b"/v1/") or b"//" in path or path.endswith(b"/"):
        meant = _meant(path)
        target = meant + target[len(path) :]
        path = meant
    parsed.path = path
    parsed.rewritten = target != parsed.target
    parsed.target = target


def _meant(path: bytes) -> bytes:
    """Return the path of an upstream that a client means by this one, else the path itself."""
    stripped = _SLASHES.sub(b"/", path).rstrip(b"/")
    if stripped.startswith(b"/v1/"):
        # With its slashes an upstream would not find it, or redirect to where no client can go.
        return stripped
    text = stripped.decode("latin-1")
    if text in VERSIONLESS or text.startswith("/models/"):
        return b"/v1" + stripped
    return stripped if is_passed_on(text) else path


def _sort_fields(parsed: RequestHead, found: list[Field]) -> None:
    special: dict[bytes, list[bytes]] = {}
    passed_on = parsed.fields
    for each in found:
        name = each[0].lower()
        if name in _SPECIAL:
            special.setdefault(name, []).append(each[1].rstrip(b" \t"))
            if name in _DROPPED:
                continue
        passed_on.append(each)
    hosts = special.get(b"host", ())
    if len(hosts) > 1 or (not hosts and not parsed.http10):
        raise HeadError(400, "exactly one Host field is required")
    if not special.keys().isdisjoint(_DISGUISED):
        raise HeadError(400, "disguised framing field")
    _set_framing(parsed, special)
    if b"connection" in special or parsed.http10:
        _set_connection(parsed, special.get(b"connection", []))
    if b"expect" in special and not parsed.http10:
        if [value.lower() for value in special[b"expect"]] != [b"100-continue"]:
            raise HeadError(417, "only 100-continue can be expected")
        parsed.expects_continue = True
    _set_marks(parsed, special)


def _set_marks(parsed: RequestHead, special: dict[bytes, list[bytes]]) -> None:
    """Note what decides nothing about where the request ends."""
    identifiers = special.get(b"x-request-id")
    if identifiers and identifiers[0]:
        parsed.request_id = identifiers[0]
    parsed.has_origin = b"origin" in special
    parsed.websocket = b"websocket" in map(bytes.lower, special.get(b"upgrade", ()))
    retries = special.get(_RETRIES)
    if retries is not None and len(retries[0]) < 4 and retries[0].isdigit():
        parsed.client_retries = int(retries[0])
    passes = special.get(PASS)
    if passes is not None:
        parsed.shown_pass = passes[0]
    types = special.get(b"content-type")
    if types is not None:
        parsed.content_type = types[0]


def _set_framing(parsed: RequestHead, special: dict[bytes, list[bytes]]) -> None:
    lengths = special.get(b"content-length")
    codings = special.get(b"transfer-encoding")
    if lengths is not None:
        if codings is not None:
            raise HeadError(400, "both Content-Length and Transfer-Encoding")
        if len(lengths) > 1:
            raise HeadError(400, "more than one Content-Length")
        if not lengths[0].isdigit() or len(lengths[0]) > 18:
            raise HeadError(400, "malformed Content-Length")
        parsed.length = int(lengths[0])
    elif codings is not None:
        if parsed.http10:
            raise HeadError(400, "Transfer-Encoding in HTTP/1.0")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise HeadError(400, "the only transfer coding understood is chunked")
        parsed.chunked = True


def _set_connection(parsed: RequestHead, values: list[bytes]) -> None:
    options = {option.strip().lower() for option in b",".join(values).split(b",")}
    parsed.close = parsed.http10 or b"close" in options
    named = options - _KEEP_ALIVE_OPTIONS
    if named:
        parsed.fields = [each for each in parsed.fields if each[0].lower() not in named]


def is_data_plane(head: RequestHead) -> bool:
    """Whether a request is spliced to an upstream; everything else is the ASGI application's."""
    path = head.path
    if not path.startswith(b"/v1/"):
        return is_passed_on(path.decode("latin-1"))
    models = path == b"/v1/models" or path.startswith(b"/v1/models/")
    return not (models and head.method in (b"GET", b"HEAD"))


def check_relayable(head: RequestHead) -> None:
    """Raise HeadError for what is valid HTTP but is never passed to an upstream."""
    path = head.path
    if (b"/." in path or b"%2" in path) and _DOT_SEGMENT.search(path) is not None:
        raise HeadError(400, "dot segments in the path")


def upstream_request(
    head: RequestHead,
    upstream: Upstream,
    request_id: bytes,
    told: bytes = b"",
    *,
    keyless: bool = False,
) -> bytes:
    """Write the head for the upstream: own Host, same framing, hop-by-hop fields gone.

    ``told``: field lines of ours; ``keyless``: without the keys that somebody found in it.
    """
    upward = head.upward
    if upward is None or upward[0] is not upstream or upward[1] is not keyless:
        upward = head.upward = (upstream, keyless, _upward(head, upstream, keyless=keyless))
    length = b"" if head.length is None else b"content-length: %d\r\n" % head.length
    own_id = b"" if head.request_id is not None else b"x-request-id: %b\r\n" % request_id
    return b"%b%b%b%bvia: 1.1 spark-control\r\n\r\n" % (upward[2], told, length, own_id)


def _upward(head: RequestHead, upstream: Upstream, *, keyless: bool) -> bytes:
    """Write all of it but what differs from request to request."""
    fields = head.keyless if keyless else head.fields
    withheld = withheld_from(upstream)
    if withheld:
        fields = [each for each in fields if each[0].lower() not in withheld]
    lines = [
        b"%b %b HTTP/1.1\r\nhost: %b" % (head.method, head.target, upstream.authority),
        *map(b": ".join, fields),
    ]
    if head.chunked:
        lines.append(b"transfer-encoding: chunked")
    lines.append(b"")
    return b"\r\n".join(lines)


def asgi_request(raw: bytes, head: RequestHead) -> bytes:
    """The head for the ASGI side: as it came, unless its target had to be put in origin form."""
    if not head.rewritten:
        return raw
    line_end = raw.find(b"\r\n")
    version = raw[line_end - 8 : line_end]
    return b"%b %b %b%b" % (head.method, head.target, version, raw[line_end:])
