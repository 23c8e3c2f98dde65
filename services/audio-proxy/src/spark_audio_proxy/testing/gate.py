"""A gate without Redis: it counts in memory, for all who share it."""

from collections.abc import Sequence

from spark_audio_proxy.permits.ports import Held, Limits, Verdict, Want
from spark_audio_proxy.permits.redis_gate import member


class MemoryGate:
    """Keeps the promises of ``RedisGate``: a limit for each kind, a ceiling for all."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.most = 0

    async def turn(
        self,
        want: Want | None,
        *,
        held: Sequence[Held],
        freed: Sequence[str],
        waiting: int,
        limits: Limits,
    ) -> Verdict:
        """Give back, confirm, and let one more in where there is room."""
        self.held -= set(freed)
        self.held |= {member(one.kind, one.id) for one in held}
        granted = want is not None and self._has_room(want, limits)
        if granted and want is not None:
            self.held.add(member(want.kind, want.id))
            self.most = max(self.most, len(self.held))
        return Verdict(granted, len(self.held), 0)

    def _has_room(self, want: Want, limits: Limits) -> bool:
        alike = sum(name.startswith(f"{want.kind}:") for name in self.held)
        return alike < limits.of(want.kind) and len(self.held) < limits.ceiling
