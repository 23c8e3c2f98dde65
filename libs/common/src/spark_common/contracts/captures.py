"""Capture of bodies: what was asked and answered, for a bounded time, when the owner says so."""

from datetime import datetime
from typing import Annotated

from pydantic import Base64Bytes, Field, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

MOST_MINUTES = 60
MOST_KILOBYTES = 256
"""Of each body: both have to fit into one message of the bus, and what is longer is cut."""

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Body = Annotated[Base64Bytes, Field(max_length=MOST_KILOBYTES * 1024)]


class GetCapture(Request):
    """Ask whether bodies are captured."""


class BeginCapture(Request):
    """Capture the bodies of all requests under /v1 from now on; once more begins a new time."""

    minutes: int = Field(default=10, ge=1, le=MOST_MINUTES)
    kilobytes: int = Field(default=64, ge=1, le=MOST_KILOBYTES)
    """Kept of each body."""
    requested_by: Text = "someone"


class EndCapture(Request):
    """Stop, and delete everything that was captured."""


class CaptureView(Reply):
    """Whether bodies are captured now, and until when they are kept."""

    on: bool = False
    until: datetime | None = None
    """Then it stops, and everything that was captured is deleted."""
    kilobytes: int = 0
    requested_by: str = ""
    kept: int = 0
    """Requests whose bodies are kept now."""
    dropped: int = 0
    """Requests that found no room any more."""


class KeepBodies(Request):
    """Keep the bodies of one request, if they are still wanted."""

    id: RequestId
    at: datetime
    path: Annotated[str, StringConstraints(max_length=200)]
    asked: _Body = b""
    asked_bytes: int = Field(default=0, ge=0)
    """How long it was."""
    answered: _Body = b""
    """As it passed: with its head, in the framing of HTTP."""
    answered_bytes: int = Field(default=0, ge=0)


class Kept(Reply):
    """Whether there was still need and room."""

    kept: bool


class ReadCapture(Request):
    """Ask for the bodies of one request."""

    id: RequestId


class Capture(Reply):
    """The bodies of one request; of two with the same id, the newest."""

    id: str
    at: datetime
    path: str
    until: datetime
    """Then it is deleted."""
    asked: Base64Bytes = b""
    asked_bytes: int = 0
    answered: Base64Bytes = b""
    answered_bytes: int = 0


GET_CAPTURE = Rpc("rpc.coordinator.capture.get", GetCapture, CaptureView)
BEGIN_CAPTURE = Rpc("rpc.coordinator.capture.begin", BeginCapture, CaptureView)
END_CAPTURE = Rpc("rpc.coordinator.capture.end", EndCapture, CaptureView)
KEEP_BODIES = Rpc("rpc.coordinator.capture.keep", KeepBodies, Kept)
READ_CAPTURE = Rpc("rpc.coordinator.capture.read", ReadCapture, Capture)
