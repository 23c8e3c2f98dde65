"""The gate that all replicas share: one script in Redis."""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from redis.asyncio import Redis

from spark_audio_proxy import keys
from spark_audio_proxy.permits.ports import Held, Limits, Verdict, Want
from spark_common.redis_access import asked

_STALE_SECONDS: Final = 1.5
"""Whoever waits asks several times a second; one that does not is gone."""
_KEEP_SECONDS: Final = 24 * 3600
_AWAY: Final = "nobody can say how busy the GPU is: Redis does not answer"


class RedisGate:
    """A ``Gate``. ``replica``: the id of this process.

    ``stale_seconds``: after so long without a question a line has nobody left in it.
    """

    def __init__(self, redis: Redis, replica: str, stale_seconds: float = _STALE_SECONDS) -> None:
        script = files("spark_audio_proxy.permits").joinpath("turn.lua").read_text("utf-8")
        self._turn = redis.register_script(script)
        self._replica = replica
        self._stale_seconds = stale_seconds

    async def turn(
        self,
        want: Want | None,
        *,
        held: Sequence[Held],
        freed: Sequence[str],
        waiting: int,
        limits: Limits,
    ) -> Verdict:
        """Ask once; raises UnavailableError."""
        question = {
            "replica": self._replica,
            "freed": list(freed),
            "held": [
                {"member": member(one.kind, one.id), "ms": _ms(one.left_seconds)} for one in held
            ],
            "waiting": waiting,
            "limits": {"hearing": limits.of("hearing"), "speaking": limits.of("speaking")},
            "ceiling": limits.ceiling,
            "stale_ms": _ms(self._stale_seconds),
            "keep_ms": _ms(_KEEP_SECONDS),
        }
        if want is not None:
            question["head"] = f"{self._replica}:{want.kind}"
            question["want"] = {
                "member": member(want.kind, want.id),
                "kind": want.kind,
                "rank": want.rank,
                "waited_ms": _ms(want.waited_seconds),
                "ms": _ms(want.lease_seconds),
            }
        granted, in_use, others = await asked(
            self._turn(keys=(keys.PERMITS, keys.PERMIT_HEADS), args=[json.dumps(question)]), _AWAY
        )
        return Verdict(bool(granted), int(in_use), int(others))


def member(kind: str, permit_id: str) -> str:
    """Return how a permit is called in the set."""
    return f"{kind}:{permit_id}"


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
