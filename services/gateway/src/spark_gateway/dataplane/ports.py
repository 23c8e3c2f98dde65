"""The words of the data plane: who decides about a request, in what order, and who is told.

A request is received at its head. The desk says at once where it goes or why not, or it gives a
``Visit``: that reads the body until it knows, and may wait for a model or for its turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from spark_gateway.dataplane.heads import RequestHead

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
    title: str = field(default="the model server", compare=False)
    """What clients read when it does not answer."""
    authority: bytes = field(init=False, repr=False, compare=False)
    """The Host field: ``<spark-1-ip>:8888``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "authority", f"{self.host}:{self.port}".encode("ascii"))


EMBEDDER: Final = "embed"
SPEECH: Final = "audio"
REDACTION: Final = "redaction"


UpstreamNow: TypeAlias = Callable[[], Upstream]
"""Where the model server is just now; asked for every request, since the owner may move it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of our own instead of an upstream's; ``body`` is complete."""

    status: int
    body: bytes
    headers: Sequence[Field] = field(default=())
    close: bool = False
    """Whether the client connection ends with this answer."""
    content_type: bytes = b"application/json"
    identifiers: tuple[bytes, ...] = (b"x-request-id",)
    """Fields in which callers look for the id of the request."""


class Router(Protocol):
    """Decides where a request goes by its head alone. Called once per request: fast."""

    def route(self, method: bytes, path: bytes, headers: Sequence[Field]) -> Upstream | Refusal:
        """Return where to send it, or what to answer. ``path`` is raw, without the query."""
        ...


# What is decided.


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes ``start`` to ``end`` of a body's content become ``text``."""

    start: int
    end: int
    text: bytes


class Choice(NamedTuple):
    """Where a request goes, and the name it has to use there when it is not the one it used."""

    upstream: Upstream
    rename: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """The model that is named could be served and is not just now."""

    model: str
    """Its key on the menu; where nobody knows one, the name that was used. ``auto`` when any
    model will do."""
    refusal: Refusal
    """What to answer unless somebody waits for it."""
    on_menu: bool = False
    """Whether it is known there, so that it could be loaded."""


class Passage(NamedTuple):
    """A request may pass."""

    upstream: Upstream
    edits: tuple[Edit, ...] = ()
    """Of the body kept so far, in order, apart from each other."""
    ticket: "Ticket | None" = None
    """Left when the exchange is over."""
    on_trial: bool = False
    """The body is too long to keep: what has come is sent, its last piece only after the visit's
    ``verdict``. No server answers before it has that."""


# The stages. Each has a default in ``free.py`` that lets everything pass and costs nothing.


class Identity(Protocol):
    """Whoever asks, as far as the data plane cares."""

    @property
    def label(self) -> str:
        """Name for logs and lists; empty for anybody."""
        ...

    @property
    def share(self) -> str:
        """Whose turns it takes in the fair queue."""
        ...

    @property
    def weight(self) -> int:
        """Turns of theirs for one of an identity with weight 1."""
        ...

    @property
    def concurrency(self) -> int:
        """Requests at once; 0: no limit."""
        ...

    @property
    def by_key(self) -> bool:
        """Whether they are known by a key, which is no upstream's business."""
        ...

    @property
    def picky(self) -> bool:
        """Whether it matters which model is named, so that every body has to be read."""
        ...

    def refuses(self, path: bytes, model: str | None) -> Refusal | None:
        """Return what to answer when this model is not for them; None names none."""
        ...

    def spent(self, tokens: int) -> None:
        """A request of theirs has cost so much; told once that is known."""
        ...


class Doorkeeper(Protocol):
    """Knows callers by what they show. In memory, at every head."""

    def admit(self, head: "RequestHead", peer: str | None) -> Identity | Refusal:
        """Return who it is; of one known by a key, ``keyless`` of the head is set."""
        ...


class Chooser(Protocol):
    """Knows which upstream serves what."""

    def at_head(self, head: "RequestHead") -> Upstream | Refusal | None:
        """Decide without the body; None when it matters which model that names."""
        ...

    def choose(self, head: "RequestHead", model: str | None) -> Choice | Refusal | Absence:
        """Decide by the model that is named; None when none is, or none is known of a body that
        is too long to keep."""
        ...


class Stay(Protocol):
    """Somebody waits."""

    def leave(self) -> None:
        """Wait no longer. May be called after the end."""
        ...


Again: TypeAlias = Callable[[Refusal | None], None]
"""Ends a wait, once: with None it is chosen anew, else this is the answer."""


class Away(Protocol):
    """Lets requests wait for a model that is not there yet, or sees to it that it comes."""

    def wait(
        self,
        absence: Absence,
        head: "RequestHead",
        identity: Identity,
        size: int,
        since: float,
        again: Again,
    ) -> Stay | Refusal:
        """Wait, with ``size`` bytes of body, until ``again`` is called; never before returning.

        ``since``: when the request began to wait for a model; earlier than now when it was let
        go and the model went away again meanwhile.
        """
        ...

    def refusal(self, absence: Absence, head: "RequestHead") -> Refusal:
        """Return what a request hears that cannot wait, whatever the owner wants: its body is too
        long to keep."""
        ...


class Ticket(Protocol):
    """A place at an upstream, or in the line before it."""

    @property
    def inside(self) -> bool:
        """Whether it is a place at the upstream."""
        ...

    @property
    def position(self) -> int:
        """Its number in the line, 1 for the next; 0 inside."""
        ...

    def leave(self) -> None:
        """Give it back, whichever it is; called once."""
        ...


class Turnstile(Protocol):
    """Lets as many in as an upstream can take, and the others in a fair order."""

    @property
    def open(self) -> bool:
        """Whether nobody ever waits here."""
        ...

    def enter(
        self, identity: Identity, upstream: Upstream, path: bytes, again: Again
    ) -> Ticket | Refusal:
        """Go in or stand in line: then ``again`` is called later, once, when the place is there,
        or with why there will be none. ``path``: whose dialect a refusal speaks."""
        ...

    def step_in(self, identity: Identity, upstream: Upstream) -> Ticket | None:
        """Go in where nobody has to wait for it; None: ``enter`` it has to be."""
        ...


How: TypeAlias = Literal["complete", "refused", "broken", "left"]
"""The end of a request: answered; answered by ourselves; cut short; the client went away."""


class Watcher(Protocol):
    """Is told about one request as it goes. Nothing here may raise or take long."""

    @property
    def wants_data(self) -> bool:
        """Whether ``answered`` and ``begins`` are to be called; asked once."""
        ...

    @property
    def wants_body(self) -> bool:
        """Whether ``received`` is to be called; asked once."""
        ...

    def known(self, identity: Identity) -> None:
        """Who asks."""
        ...

    def named(self, model: str | None) -> None:
        """The model that the body names."""
        ...

    def waited(self, seconds: float, why: Literal["model", "turn"]) -> None:
        """It waited for a model, or for its turn; may be told more than once."""
        ...

    def sent(self, upstream: Upstream) -> bytes:
        """It goes up now; return field lines of ours for the head of the answer."""
        ...

    def received(self, content: bytes) -> None:
        """A piece of the body, as the client wrote it, that did not come with the head."""
        ...

    def answered(self, data: bytes) -> None:
        """All of an answer that is no event stream, as it goes down, its head included."""
        ...

    def begins(self, data: bytes) -> Callable[[bytes], None]:
        """The first piece of any other answer, with its head, and with their frames where there
        are chunks; return what is told of each of the following pieces."""
        ...

    def ended(self, status: int, how: How) -> None:
        """It is over, once; status 0 when nothing was answered."""
        ...


Watching: TypeAlias = Callable[["RequestHead", str | None, bytes, bytes], Watcher]
"""From head, address of the client, request id, and the body where all of it came with the head,
to who is told."""


# Between the desk and the client's connection.


class Host(Protocol):
    """The client's connection, as a visit sees it."""

    caller: Identity
    """Who made the request under way; whoever loses the right to it is cut off."""

    def decided(self, outcome: Passage | Refusal) -> None:
        """What becomes of the request. Once, during any call of the visit or later."""
        ...


class Visit(Protocol):
    """One request about which nothing is decided yet.

    The connection keeps the body while it shows it, and keeps the client company if need be.
    """

    @property
    def room(self) -> int:
        """How many bytes of the body may be kept for it as a rule."""
        ...

    @property
    def position(self) -> int:
        """Its number in the line before an upstream; 0 when it stands in none."""
        ...

    @property
    def needs_more(self) -> bool:
        """Whether more of the body than that is worth keeping: it says nothing yet that would
        do, or has to wait."""
        ...

    @property
    def reads(self) -> bool:
        """Whether it needs the body to decide: a client that asks first is told to send it."""
        ...

    def begin(self) -> None:
        """Start; it may decide from here on."""
        ...

    def feed(self, content: bytes, *, last: bool) -> None:
        """Look at the next bytes of the content; a request without a body has one empty piece."""
        ...

    def full(self) -> None:
        """No room is left. It decides with what it has, or nothing more comes until it does."""
        ...

    def verdict(self) -> Refusal | None:
        """After a passage on trial, when all has been shown: what to answer after all, if so."""
        ...

    def left(self) -> None:
        """The client, or the server, is going away; it is not to decide any more."""
        ...


class Desk(Protocol):
    """Where every request of the data plane is received."""

    def receive(
        self,
        head: "RequestHead",
        peer: str | None,
        watcher: Watcher,
        host: Host,
        body: bytes = b"",
    ) -> Passage | Refusal | Visit:
        """Decide at once, or give the visit that will.

        ``body``: all of it, where it came with the head.
        """
        ...
