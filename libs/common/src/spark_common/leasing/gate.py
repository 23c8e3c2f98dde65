"""Who may decide what is loaded: one read, compared here, refused when in doubt."""

import hmac
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from spark_common.errors import LeaseHeldError
from spark_common.leasing import keys
from spark_common.leasing.scripts import LeaseScripts
from spark_common.leasing.tokens import hash_of
from spark_common.redis_access import asked

AWAY = "cannot verify the reservation: Redis is away"

Standing = Literal["free", "held", "granted", "draining", "promised", "damaged"]
"""``promised``: over, and the next in line is about to get it; ``damaged``: nobody can prove that
it is theirs, so nobody may pass until a person forces it."""


@dataclass(frozen=True)
class Gate:
    """What one read of the lease says."""

    admitted: bool
    epoch: int
    """Under which the caller may act; the latest one for everybody else."""
    holder: str | None = None
    remaining_seconds: float | None = None
    reason: str = ""
    waiting: int = 0
    """How many stand in line."""
    state: Standing = "free"
    mine: bool = False
    """The caller's token is that of the lease, or of the grant that is not taken up yet."""


@dataclass(frozen=True)
class _Read:
    state: Standing
    sha256: str
    holder: str | None
    reason: str
    fence: int
    left_seconds: float | None
    epoch: int
    waiting: int

    def gate(self, *, admitted: bool, epoch: int, mine: bool = False) -> Gate:
        return Gate(
            admitted=admitted,
            epoch=epoch,
            holder=self.holder,
            remaining_seconds=self.left_seconds,
            reason=self.reason,
            waiting=self.waiting,
            state=self.state,
            mine=mine,
        )


class LeaseGate:
    """Asks Redis once for each decision. Raises UnavailableError: nobody acts on a guess."""

    def __init__(self, redis: Redis, scripts: LeaseScripts | None = None) -> None:
        self._scripts = scripts or LeaseScripts(redis)

    async def for_caller(self, token: str | None) -> Gate:
        """Say whether a caller with this token may swap now, and under which epoch."""
        read = await self._read()
        if read.state == "free":
            return read.gate(admitted=True, epoch=read.epoch)
        same = hmac.compare_digest(hash_of(token or "").encode(), read.sha256.encode())
        mine = token is not None and same
        admitted = mine and read.state == "held"
        return read.gate(admitted=admitted, epoch=read.fence if admitted else read.epoch, mine=mine)

    async def for_epoch(self, epoch: int) -> Gate:
        """Say whether a swap admitted under ``epoch`` may still run.

        It may while nobody holds the lease, while that lease is held, and while it drains.
        """
        read = await self._read()
        if read.state == "free":
            return read.gate(admitted=True, epoch=epoch)
        theirs = read.state in ("held", "draining", "granted") and read.fence == epoch
        return read.gate(admitted=theirs, epoch=epoch)

    async def tell_through(self, swap_id: str, requested_by: str) -> None:
        """Have it told that a person swaps through the lease of whoever holds it; once a swap."""
        await asked(self._scripts.through(keys=keys.THROUGH, args=[swap_id, requested_by]), AWAY)

    async def _read(self) -> _Read:
        state, sha256, holder, reason, fence, left_ms, epoch, waiting = await asked(
            self._scripts.gate(keys=keys.GATE), AWAY
        )
        return _Read(
            state=state,
            sha256=sha256,
            holder=holder or None,
            reason=reason,
            fence=int(fence),
            left_seconds=int(left_ms) / 1000 if int(left_ms) > 0 else None,
            epoch=int(epoch),
            waiting=int(waiting),
        )


def held_error(gate: Gate, way_out: str) -> LeaseHeldError:
    """Return the refusal: who, why, for how long, how many wait; ``way_out`` says what to do."""
    if gate.mine and gate.state == "granted":
        said = "the reservation is given to you: take it up with POST /api/swap/lock and its token"
    else:
        said = f"{_who(gate)}{_line(gate.waiting)}. {way_out}"
    return LeaseHeldError(
        said,
        holder=gate.holder,
        reason=gate.reason,
        remaining_seconds=gate.remaining_seconds,
        waiting=gate.waiting,
        state=gate.state,
    )


def _who(gate: Gate) -> str:
    holder = f"{gate.holder!r}" if gate.holder else "somebody"
    left = f" for another {_duration(gate.remaining_seconds)}" if gate.remaining_seconds else ""
    why = f" ({gate.reason})" if gate.reason else ""
    match gate.state:
        case "granted":
            return f"the reservation was just given to {holder}{why}, who was next in line"
        case "draining":
            return f"the reservation of {holder} is over, what runs of its time may finish{left}"
        case "promised":
            return "the reservation goes to the next in line in a moment"
        case "damaged":
            return "the reservation cannot be read: nobody can prove that it is theirs"
        case _:
            return f"{holder} holds the cluster{left}{why}"


def _line(waiting: int) -> str:
    if not waiting:
        return ""
    return f"; {waiting} {'waits' if waiting == 1 else 'wait'} in line"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
