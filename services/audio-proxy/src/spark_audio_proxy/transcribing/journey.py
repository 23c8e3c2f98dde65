"""One request on its way: who asks, how urgent it is, where it is, what took how long."""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spark_audio_proxy.permits.ports import INTERACTIVE_SECONDS, Urgency
from spark_common.clock import Clock

NORMAL_SECONDS = 600.0
"""A longer recording has nobody who looks at the clock."""


@dataclass
class Journey:
    """Goes with a request; ``state`` is that of the HTTP request, for who counts."""

    client: str
    clock: Clock
    state: MutableMapping[str, Any] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds by step: ``decode``, ``queue``, ``asr``, ``diar``, ``merge``."""
    attempts: int = 1
    calls: int = 0
    """Calls to the server so far: those after the first wait longer, since work would be lost."""
    urgency: Urgency | None = None
    parts: int = 1
    """Parts that the recording was cut into."""
    on_progress: Callable[[float], None] | None = None
    """Is told the share that is done, of each step that takes long."""

    def report(self, share: float) -> None:
        """Tell how far it is."""
        if self.on_progress is not None:
            self.on_progress(share)

    def urgency_of(self, seconds: float) -> Urgency:
        """Return the class of a recording of this length."""
        if self.urgency is not None:
            return self.urgency
        if seconds <= INTERACTIVE_SECONDS:
            return "interactive"
        return "normal" if seconds <= NORMAL_SECONDS else "batch"

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        self.state["stage"] = name
        began = self.clock.monotonic()
        try:
            yield
        finally:
            self.add(name, self.clock.monotonic() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add to a step."""
        self.took[name] = self.took.get(name, 0.0) + seconds

    def ms(self, name: str) -> int:
        """Return what a step took, in whole milliseconds."""
        return round(1000 * self.took.get(name, 0.0))
