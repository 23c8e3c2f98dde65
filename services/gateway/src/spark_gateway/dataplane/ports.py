"""What the data plane asks of whoever knows where models are served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

Field = tuple[bytes, bytes]
"""A header field: name as sent, value."""

MODEL_SERVER: Final = "llm"
"""Name of the upstream that runs on the GPU the lease is about."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that answers /v1: host by address (IPv4 or resolvable name) and port."""

    host: str
    port: int
    name: str = MODEL_SERVER
    """Label in metrics; never shown to clients."""
    authority: bytes = field(init=False, repr=False, compare=False)
    """The Host field: ``<spark-1-ip>:8888``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "authority", f"{self.host}:{self.port}".encode("ascii"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of our own instead of an upstream's; ``body`` is complete."""

    status: int
    body: bytes
    headers: Sequence[Field] = field(default=())
    close: bool = False
    """Whether the client connection ends with this answer."""
    content_type: bytes = b"application/json"


class Router(Protocol):
    """Decides where a request goes, before its body is known. Called once per request: fast."""

    def route(self, method: bytes, path: bytes, headers: Sequence[Field]) -> Upstream | Refusal:
        """Return where to send it, or what to answer. ``path`` is raw, without the query."""
        ...


class Screen(Protocol):
    """Looks at one request body as it passes; decides once it is over."""

    def feed(self, content: bytes) -> None:
        """Take the next bytes of the content."""
        ...

    def verdict(self) -> Refusal | None:
        """Return what to answer in place of the upstream, or None: it may pass."""
        ...


Screening: TypeAlias = Callable[[bytes, Sequence[Field]], Screen | None]
"""From path and fields of a request to what looks at its body; None: nothing has to."""


def no_screening(path: bytes, headers: Sequence[Field]) -> Screen | None:
    """Let every body pass unseen."""
    return None
