"""The request log: one line per request of the data plane. Never a word of what was said."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc

LONGEST_PAGE = 500
"""Lines in one answer: it has to fit into one message of the bus."""
MOST_AT_ONCE = 500

_Short = Annotated[str, StringConstraints(max_length=64)]
_Label = Annotated[str, StringConstraints(max_length=200)]
_Count = Annotated[int, Field(ge=0)]
_Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LoggedRequest(Reply):
    """One request that is over. Times in milliseconds, sizes in bytes; None is not known."""

    mark: _Short
    """Unique; a line that is sent twice is kept once."""
    id: _Label
    """The ``x-request-id`` that the client got."""
    at: datetime
    """When its head was complete."""
    method: _Short
    path: _Label
    """Without the query."""
    model: _Label = ""
    """As the request named it, else the one that was loaded."""
    upstream: _Short = ""
    """Where it was sent; empty when it was not."""
    status: int | None = None
    """None when the client left before there was an answer."""
    end: _Short
    """``complete``, or who ended it otherwise; docs/api/requests.md lists the words."""
    first_byte_ms: _Milliseconds | None = None
    first_token_ms: _Milliseconds | None = None
    """Of a stream."""
    total_ms: _Milliseconds
    queue_ms: _Milliseconds = 0.0
    """Of the total: it waited here for its turn or for its model."""
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    cached_tokens: _Count | None = None
    tokens_estimated: bool = False
    """Nobody said them; they were counted from the pieces of the stream."""
    bytes_in: _Count = 0
    bytes_out: _Count = 0
    key: _Label = ""
    """Name of the API key, never the key."""
    user: _Label = ""
    """Id of a user as the client's own server names it; never a name or an address of mail."""
    address: _Short = ""
    client: _Label = ""
    """What the client calls itself, shortened."""
    retry: _Count = 0
    """How often the client had asked the same before."""


class AppendRequests(Request):
    """Keep these lines."""

    lines: list[LoggedRequest] = Field(max_length=MOST_AT_ONCE)


class Appended(Reply):
    """They are kept, or were already."""


class ListRequests(Request):
    """Ask for the newest lines, or for those before a number, that fit everything given."""

    since: datetime | None = None
    until: datetime | None = None
    model: _Label | None = None
    status: Annotated[str, StringConstraints(pattern=r"^([1-5]\d\d|[1-5]xx|none)$")] | None = None
    """``404``, a class like ``5xx``, or ``none`` where there was no answer."""
    caller: _Label | None = None
    """Key, user or address, exactly."""
    q: _Label | None = None
    """Part of id, path, model, caller, client or end; capitals do not matter."""
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=100, ge=1, le=LONGEST_PAGE)


class RequestRow(LoggedRequest):
    """A line as it is kept."""

    number: int
    """Grows with every line; the newest is the highest."""


class Requests(Reply):
    """The newest first. ``older_before`` asks for the next page; None when there is none."""

    requests: list[RequestRow] = []
    older_before: int | None = None
    problems: list[str] = []
    """Why lines may be missing, one plain sentence each."""


APPEND_REQUESTS = Rpc("rpc.coordinator.requests.append", AppendRequests, Appended)
LIST_REQUESTS = Rpc("rpc.coordinator.requests.list", ListRequests, Requests)
