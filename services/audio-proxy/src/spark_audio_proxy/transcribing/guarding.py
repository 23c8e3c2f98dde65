"""Who watches over the speech server: lets calls through, and is told how they end."""

from typing import Protocol

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.upstreams.faults import SpeechFaultError


class Guardian(Protocol):
    """Knows whether the server is stuck, and which recordings broke it."""

    async def before(self, measures: Measures, patience_seconds: float) -> None:
        """Return when the server may be asked; waits while it recovers, as long as there is time.

        Raises SpeechError ``audio_rejected`` for a recording that broke it twice, and
        ``upstream_recovering``, ``upstream_loading`` when the wait would be too long.
        """
        ...

    async def failed(
        self, fault: SpeechFaultError, measures: Measures, patience_seconds: float
    ) -> bool:
        """Hear of a failure; returns whether the call is to be made once more.

        May wait for the server to come back before it returns.
        """
        ...

    def succeeded(self, measures: Measures) -> None:
        """Hear that real work was done."""
        ...


class Unguarded:
    """A ``Guardian`` that lets everything through."""

    async def before(self, measures: Measures, patience_seconds: float) -> None:
        """Let it through."""

    async def failed(
        self, fault: SpeechFaultError, measures: Measures, patience_seconds: float
    ) -> bool:
        """Nothing is tried again."""
        return False

    def succeeded(self, measures: Measures) -> None:
        """Nobody counts."""
