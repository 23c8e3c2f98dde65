"""Remembers that a host is away, so that nobody waits for it again and again."""

from spark_common.clock import Clock
from spark_common.errors import UnavailableError


class Circuit:
    """Closed: everybody may connect. Open: refused at once. After a while one caller may probe."""

    def __init__(self, clock: Clock, remember_seconds: float) -> None:
        self._clock = clock
        self._remember_seconds = remember_seconds
        self._failure: UnavailableError | None = None
        self._until = 0.0
        self._probing = False

    def admit(self) -> None:
        """Return when the caller may connect; raises a copy of the remembered failure if not."""
        if self._failure is None:
            return
        left_seconds = self._until - self._clock.monotonic()
        if left_seconds > 0 or self._probing:
            raise type(self._failure)(self._failure.message, **self._failure.details)
        self._probing = True

    def succeeded(self) -> None:
        """Forget the failure: the host answered."""
        self._failure = None
        self._probing = False

    def failed(self, failure: UnavailableError) -> None:
        """Remember the failure from now on."""
        self._failure = failure
        self._until = self._clock.monotonic() + self._remember_seconds
        self._probing = False

    def gave_up(self) -> None:
        """End a probe without a verdict; the next caller may try."""
        self._probing = False
