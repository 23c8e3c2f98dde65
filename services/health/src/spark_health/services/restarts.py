"""Whether a container ends soon after every start: pure, from what was seen of its runs."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from spark_health.services.boxes import Box

WINDOW_SECONDS: Final = 600.0
LOOP: Final = 3
"""So many starts that nobody asked for within the window are a loop."""
SETTLED_SECONDS: Final = 120.0
"""A run that lives so long has come out of it."""


@dataclass
class Restarts:
    """What is known of the runs of one container, by a steady clock."""

    _grown: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=200))
    _box: Box | None = None
    recent: int = 0
    """Starts within the window that nobody asked for."""
    looping: bool = False

    def see(self, box: Box | None, now: float) -> None:
        """Take in a look; None: there is no such container."""
        before, self._box = self._box, box
        if box is None:
            self.forget()
            return
        if before is None:
            # Seen for the first time: its own count says what happened before.
            fresh = box.state == "restarting" or (
                box.up_seconds is not None and box.up_seconds < SETTLED_SECONDS
            )
            if box.restarts and fresh:
                self._grown.append((now, box.restarts))
        elif before.id != box.id:
            self.forget()
            self._box = box
        elif box.restarts > before.restarts:
            self._grown.append((now, box.restarts - before.restarts))
        elif box.started_at != before.started_at and box.state == "running":
            # Somebody else starts it again and again.
            self._grown.append((now, 1))
        self._judge(box, now)

    def forget(self) -> None:
        """Begin anew: it was started on purpose, or is another container."""
        self._grown.clear()
        self._box, self.recent, self.looping = None, 0, False

    def _judge(self, box: Box, now: float) -> None:
        while self._grown and now - self._grown[0][0] > WINDOW_SECONDS:
            self._grown.popleft()
        self.recent = sum(count for _, count in self._grown)
        settled = (
            box.state == "running"
            and box.up_seconds is not None
            and box.up_seconds >= SETTLED_SECONDS
        )
        self.looping = self.recent >= LOOP and not settled
