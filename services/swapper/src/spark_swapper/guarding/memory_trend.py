"""What the memory of one host did during a load, and whether it is about to be gone. Pure."""

from collections import deque

from spark_swapper.guarding.headroom import GIB

LEAST_FLOOR = 1 * GIB
"""Below this no plan is trusted: earlyoom, where people use it, kills at half of it."""
_SLACK = 1 * GIB
"""How far below its own plan a load may go before that means something."""
_REACTION_SECONDS = 4.0
"""From one look to a container that is gone: the poll, SSH and docker."""
_AHEAD_SECONDS = 10.0
"""How far a silent host is believed to have gone on as it was last seen."""
_LOOKS = 4


class MemoryTrend:
    """Samples of ``MemAvailable`` in bytes at monotonic seconds, the latest few.

    The floor follows the plan: a recipe that claims nearly everything leaves less than the
    setting says, and must not be ended for keeping to it.
    """

    def __init__(self, floor: float, needed: int | None, before: int = 0) -> None:
        """``needed``: what the launch is going to take; None when nobody knows.

        ``before``: what was available when somebody first looked; 0 when nobody did.
        """
        self._setting = floor
        self._needed = needed
        self._highest = before
        self._samples: deque[tuple[float, int]] = deque(maxlen=_LOOKS)

    def see(self, at: float, available: int) -> None:
        """Take one look."""
        self._highest = max(self._highest, available)
        self._samples.append((at, available))

    @property
    def available(self) -> int | None:
        """The latest sample."""
        return self._samples[-1][1] if self._samples else None

    @property
    def planned_left(self) -> int | None:
        """What the plan leaves; None when it was never seen to have what it needs."""
        if self._needed is None or self._highest < self._needed:
            return None
        return self._highest - self._needed

    @property
    def floor(self) -> float:
        """What must stay available."""
        planned = self.planned_left
        below_plan = self._setting if planned is None else planned - _SLACK
        return max(min(self._setting, LEAST_FLOOR), min(self._setting, below_plan))

    def falling(self) -> float:
        """Return how fast it falls, in bytes per second; 0 when it does not."""
        if len(self._samples) < 2:
            return 0.0
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return max(0.0, (first - last) / (ended - began)) if ended > began else 0.0

    def too_low(self) -> bool:
        """Whether the load has to be ended now.

        Below the floor; or already below what the plan leaves, and falling so fast that nothing
        would be left by the time the next look could do something.
        """
        if self.available is None or self._setting <= 0:
            return False
        if self.available < self.floor:
            return True
        planned = self.planned_left
        beyond_plan = planned is not None and self.available < planned - _SLACK
        return beyond_plan and self.available - self.falling() * _REACTION_SECONDS < LEAST_FLOOR

    def running_out(self) -> bool:
        """Whether there was hardly anything left, or soon would not have been."""
        if self.available is None:
            return False
        ahead = self.available - self.falling() * _AHEAD_SECONDS
        return ahead < max(self.floor, LEAST_FLOOR)
