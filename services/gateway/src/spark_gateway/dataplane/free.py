"""What stands at each stage when its feature is off: everything passes, at no cost."""

from collections.abc import Callable
from typing import Final, Literal

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import (
    Absence,
    Again,
    Choice,
    How,
    Identity,
    Refusal,
    Router,
    Stay,
    Ticket,
    Upstream,
    Watcher,
)


class Anybody:
    """A caller nobody asks for a name."""

    label = ""
    share = ""
    weight = 1
    concurrency = 0
    by_key = False
    picky = False

    def refuses(self, path: bytes, model: str | None) -> Refusal | None:
        """Every model is for everybody."""
        return None

    def spent(self, tokens: int) -> None:
        """Nobody counts."""


ANYBODY: Final = Anybody()


class OpenDoor:
    """Keys are off."""

    def admit(self, head: RequestHead, peer: str | None) -> Identity | Refusal:
        """Let anybody in."""
        return ANYBODY


class OpenTurnstile:
    """No upstream has a cap."""

    open = True

    def enter(
        self, identity: Identity, upstream: Upstream, path: bytes, again: Again
    ) -> Ticket | Refusal:
        """Go in."""
        return INSIDE

    def step_in(self, identity: Identity, upstream: Upstream) -> Ticket | None:
        """Go in."""
        return INSIDE


class Inside:
    """A place where there is no limit."""

    inside = True
    position = 0

    def leave(self) -> None:
        """Nothing was taken."""


INSIDE: Final = Inside()


class NobodyWaits:
    """A model that is not loaded is refused."""

    def wait(
        self,
        absence: Absence,
        head: RequestHead,
        identity: Identity,
        size: int,
        since: float,
        again: Again,
    ) -> Stay | Refusal:
        """Refuse."""
        return absence.refusal

    def refusal(self, absence: Absence, head: RequestHead) -> Refusal:
        """Say what the chooser says."""
        return absence.refusal


class Unwatched:
    """Nobody wants to know."""

    wants_data = False
    wants_body = False

    def known(self, identity: Identity) -> None:
        """Not noted."""

    def named(self, model: str | None) -> None:
        """Not noted."""

    def waited(self, seconds: float, why: Literal["model", "turn"]) -> None:
        """Not noted."""

    def sent(self, upstream: Upstream) -> bytes:
        """Not noted."""
        return b""

    def received(self, content: bytes) -> None:
        """Not noted."""

    def answered(self, data: bytes) -> None:
        """Not noted."""

    def begins(self, data: bytes) -> Callable[[bytes], None]:
        """Not noted."""
        return self.answered

    def ended(self, status: int, how: How) -> None:
        """Not noted."""


UNWATCHED: Final = Unwatched()


def nobody_watches(head: RequestHead, peer: str | None, request_id: bytes, body: bytes) -> Watcher:
    """Return the one who notes nothing."""
    return UNWATCHED


class ByHead:
    """Sends everything where a router says; no body is read."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def at_head(self, head: RequestHead) -> Upstream | Refusal | None:
        """Ask the router."""
        return self._router.route(head.method, head.path, head.fields)

    def choose(self, head: RequestHead, model: str | None) -> Choice | Refusal | Absence:
        """Ask the router."""
        goal = self._router.route(head.method, head.path, head.fields)
        return goal if isinstance(goal, Refusal) else Choice(goal)
