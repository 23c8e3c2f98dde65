"""One restart from the decision to what is told of it; carried on by whoever comes after us."""

from contextlib import suppress
from datetime import timedelta

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_health.deep.scene import Scene
from spark_health.remedies import events
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.holding import TTL_SECONDS, InTheWayError, Leases, alone
from spark_health.remedies.ports import Containers, ContainerSight
from spark_health.remedies.record import Claim

FRESH_SECONDS = 600.0
"""A restart that was decided longer ago than this is decided anew instead."""
_LOST_SECONDS = 3600.0
_WITHIN_SECONDS = TTL_SECONDS - 20.0
"""After the last look at the container: the lease of the restart, taken later, still holds."""
_log = structlog.get_logger()


class Restarting:
    """Acts on claims. What it cannot end stays claimed and is carried on later."""

    def __init__(
        self, book: RemedyBook, containers: Containers, leases: Leases, scene: Scene, clock: Clock
    ) -> None:
        self._book = book
        self._containers = containers
        self._leases = leases
        self._scene = scene
        self._clock = clock

    async def act(self, claim: Claim, seen: ContainerSight) -> None:
        """Restart under the lease that is already held; end the claim when that is certain.

        ``seen``: how it was before the lease was taken, which bounds when it may happen. A lost
        answer leaves it open: it may or may not have happened, and the Spark knows.
        """
        try:
            how = await self._containers.restart(
                claim.host, claim.container, claim.started_at, seen.seen_at + _WITHIN_SECONDS
            )
        except SparkError as error:
            if error.retryable:
                _log.warning("remedy.outcome_unknown", container=claim.key, reason=error.message)
                await self._book.let_go(claim)
            else:
                await self._end(claim, ok=False, message=error.message)
            return
        if how == "late":
            await self._book.let_go(claim)
            return
        said = "" if how == "restarted" else "it was started anew meanwhile"
        await self._end(claim, ok=True, message=said)

    async def carry_on(self) -> list[Claim]:
        """Settle what a process of ours left behind; returns what is over now."""
        over = []
        for claim in await self._book.claims():
            if not await self._book.adopt(claim):
                continue
            try:
                async with self._book.at_work(claim, self._clock):
                    settled = await self._settled(claim)
                if settled:
                    over.append(claim)
            except (SparkError, InTheWayError) as why:
                _log.info("remedy.waits", container=claim.key, reason=str(why))
            finally:
                await self._book.let_go(claim)
        return over

    async def _settled(self, claim: Claim) -> bool:
        passed = self._clock.now() - claim.at
        try:
            sight = await self._containers.look(claim.host, claim.container)
        except SparkError as error:
            if passed < timedelta(seconds=_LOST_SECONDS):
                raise
            message = f"it is not known whether it happened: {error.message}"
            return await self._end(claim, ok=False, message=message)
        if sight is None:
            return await self._end(claim, ok=False, message="the container is gone")
        if sight.started_at != claim.started_at:
            # The process that did it may have been killed while it held the lease.
            with suppress(InTheWayError):
                async with self._leases.held(claim.id, reason_of(claim)):
                    pass
            return await self._end(claim, ok=True, message="")
        if passed > timedelta(seconds=FRESH_SECONDS):
            # It did not happen, and what led to it is old: the next check says whether it must.
            await self._book.finish(claim, None, refund=True)
            return True
        async with alone(self._leases, self._scene, claim.host, claim.id, reason_of(claim)):
            await self.act(claim, sight)
        return True

    async def _end(self, claim: Claim, *, ok: bool, message: str) -> bool:
        entry = events.done(claim, ok=ok, message=message)
        await self._book.finish(claim, entry, refund=False)
        _log.warning(
            "remedy.restarted" if ok else "remedy.restart_failed",
            container=claim.key,
            services=claim.services,
            reason=claim.reason,
            evidence=claim.evidence,
            said=message,
        )
        return True


def reason_of(claim: Claim) -> str:
    """Return what the lease is held for."""
    return f"restart of {claim.container}: {claim.reason}"
