"""Who watches over the speech server: lets calls through, and is told how they end."""

from typing import Protocol

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.problems import SpeechError


class Guardian(Protocol):
    """Knows whether the server is stuck, and which recordings broke it."""

    @property
    def open(self) -> bool:
        """Whether a call may be sent now."""
        ...

    async def arrive(self, measures: Measures) -> bool:
        """Let a new request stand in line; returns whether it is a trial (see ``hold``).

        Raises SpeechError ``audio_rejected`` for a recording that broke the server twice, and
        ``upstream_recovering``, ``upstream_loading``, ``upstream_down`` while it cannot be asked.
        """
        ...

    async def hold(self, patience_seconds: float) -> bool:
        """Return when the server may be asked: at once where it is well.

        True: it is not known to be well, and this one call is to find out.
        Raises SpeechError when it takes longer than the patience.
        """
        ...

    async def failed(self, error: SpeechError, measures: Measures, *, last: bool) -> None:
        """Hear of a failure, before another call has the turn of the one that failed.

        ``last``: it was made once more already.
        """
        ...

    async def again(self, error: SpeechError, measures: Measures, patience_seconds: float) -> bool:
        """Return whether a call that failed is to be made once more.

        Waits for the server to come back where the patience is long enough for that.
        """
        ...

    async def succeeded(self, took_seconds: float) -> None:
        """Hear that real work was done."""
        ...


class Unguarded:
    """A ``Guardian`` that lets everything through."""

    open = True

    async def arrive(self, measures: Measures) -> bool:
        """Let it through."""
        return False

    async def hold(self, patience_seconds: float) -> bool:
        """Nothing is held."""
        return False

    async def failed(self, error: SpeechError, measures: Measures, *, last: bool) -> None:
        """Nothing follows from it."""

    async def again(self, error: SpeechError, measures: Measures, patience_seconds: float) -> bool:
        """Nothing is tried again."""
        return False

    async def succeeded(self, took_seconds: float) -> None:
        """Nobody counts."""
