"""Checks the look-up that a library makes by itself, right before it connects.

Such a library is given a name and looks it up once more, after we did: a name that changes in
between would lead anywhere. What is looked up while a context stands guarded is checked here;
everybody else gets the system's own answer.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from spark_common.forbidden_address import addresses_in
from spark_coordinator.webhooks.guard import TargetGuard

LookUp: TypeAlias = Callable[..., list[Any]]
SYSTEM: Final[LookUp] = socket.getaddrinfo


class GuardedLookUp:
    """``socket.getaddrinfo`` for one delivery; ``refusals`` are sentences."""

    def __init__(self, guard: TargetGuard, look_up: LookUp = SYSTEM) -> None:
        self._guard = guard
        self._look_up = look_up
        self.refusals: list[str] = []

    def __call__(self, host: Any, port: Any, *more: Any, **named: Any) -> list[Any]:
        """Return what the system knows, or raise gaierror when one address of it is forbidden."""
        found = self._look_up(host, port, *more, **named)
        addresses = addresses_in(found)
        number = int(found[0][4][1]) if found else 0
        if (why := self._guard.refusal(str(host), number, addresses)) is not None:
            self.refusals.append(why)
            raise socket.gaierror(socket.EAI_FAIL, "the target is refused")
        return found


_standing: ContextVar[GuardedLookUp | None] = ContextVar("guarded look-up", default=None)


@contextmanager
def guarded(look_up: GuardedLookUp) -> Iterator[None]:
    """Have everything that this context looks up checked, in threads that copy it as well."""
    # It stays: a thread may go on when nobody waits for it any more.
    socket.getaddrinfo = _of_context
    token = _standing.set(look_up)
    try:
        yield
    finally:
        _standing.reset(token)


def _of_context(*arguments: Any, **named: Any) -> list[Any]:
    look_up: LookUp = _standing.get() or SYSTEM
    return look_up(*arguments, **named)
