"""A gate that counts in memory; several processes of a test may share one."""

from collections.abc import Sequence

from spark_audio_proxy.permits.ports import Held, Limits, Verdict, Want
from spark_common.errors import UnavailableError


class MemoryGate:
    """A ``Gate``, which may be ``away``. It knows no other replicas' lines."""

    def __init__(self) -> None:
        self.permits: dict[str, str] = {}
        """Kind by member."""
        self.away = False
        self.most: int = 0

    async def turn(
        self,
        want: Want | None,
        *,
        held: Sequence[Held],
        freed: Sequence[str],
        waiting: int,
        limits: Limits,
    ) -> Verdict:
        """Count."""
        if self.away:
            raise UnavailableError("nobody can say how busy the GPU is")
        for member in freed:
            self.permits.pop(member, None)
        self.permits |= {f"{one.kind}:{one.id}": one.kind for one in held}
        granted = False
        if want is not None:
            of_kind = sum(kind == want.kind for kind in self.permits.values())
            granted = len(self.permits) < limits.ceiling and of_kind < limits.of(want.kind)
            if granted:
                self.permits[f"{want.kind}:{want.id}"] = want.kind
        self.most = max(self.most, len(self.permits))
        return Verdict(granted, len(self.permits), 0)
