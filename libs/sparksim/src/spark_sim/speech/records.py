"""What came to a speech container: the judge of whoever is in front of it."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

Note = Callable[..., object]
"""``note(kind, **details)``: where effects are told."""
_KEPT = 20_000


@dataclass(frozen=True)
class Upload:
    """One recording that came; ``seconds`` is None for what was no sound."""

    path: str
    bytes: int
    codec: str | None
    container: str | None
    rate: int | None
    channels: int | None
    seconds: float | None
    sha256: str | None
    """Of the samples as 16 kHz, mono, 16 bit."""
    wedged: bool
    """Whether the GPU was broken already when it came."""


@dataclass
class Records:
    """Counted since the start or since ``clear``."""

    uploads: deque[Upload] = field(default_factory=lambda: deque(maxlen=_KEPT))
    most_at_once: int = 0
    """Jobs inside at the same time, from their first byte to their answer, or to the end of the
    work where the caller did not wait for it."""
    during_wedge: int = 0
    restarts: int = 0

    def inside(self, count: int) -> None:
        """Take up how many jobs are inside."""
        self.most_at_once = max(self.most_at_once, count)

    def take(self, upload: Upload) -> None:
        """Take up that a recording came."""
        self.uploads.append(upload)
        self.during_wedge += upload.wedged

    def clear(self) -> None:
        """Forget everything."""
        self.uploads.clear()
        self.most_at_once = self.during_wedge = self.restarts = 0

    def told(self) -> dict[str, object]:
        """Return them as JSON has them."""
        return {
            "most_at_once": self.most_at_once,
            "during_wedge": self.during_wedge,
            "restarts": self.restarts,
            "uploads": [asdict(upload) for upload in self.uploads],
        }
