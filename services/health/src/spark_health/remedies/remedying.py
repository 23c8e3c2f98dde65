"""What is done about services that are stuck: one restart for all that share a container."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.contracts.deep_health import DeepResult
from spark_common.errors import SparkError
from spark_common.ids import new_id
from spark_common.settings.policies import RemedySettings
from spark_health.deep.ports import Outcome, Place
from spark_health.deep.scene import Scene
from spark_health.remedies import events, words
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.holding import InTheWayError, Leases, alone, beside, clear
from spark_health.remedies.modes import Mode, key_for, mode_of
from spark_health.remedies.ports import Containers, ContainerSight
from spark_health.remedies.record import Claim
from spark_health.remedies.restarting import Restarting, reason_of
from spark_health.remedies.wedge import Wedge, wedge_of

GRACE_SECONDS = 60.0
"""A container that was started this recently is left alone, whoever started it."""
AGAIN_SECONDS = 90.0
"""When a restarted service is checked next: it loads its model first."""
_FRESH_SECONDS = 120.0
"""What is older has to be seen once more before anything is done about it."""
_TURN_SECONDS = 10.0
_LOG_SECONDS = 900.0
_log = structlog.get_logger()


@dataclass
class Victim:
    """A service that is stuck."""

    place: Place
    wedge: Wedge
    job_at: float
    """Monotonic moment at which that was seen."""


@dataclass
class Standing:
    """A container in which something is stuck, until it is restarted or works again."""

    key: str
    victims: dict[str, Victim] = field(default_factory=dict)
    waiting: str = ""
    """What is in the way, for people."""

    @property
    def newest(self) -> Victim:
        """Return the victim that was seen last."""
        return max(self.victims.values(), key=lambda one: one.job_at)


class Remedies:
    """Hears every result, decides, acts."""

    def __init__(
        self,
        *,
        book: RemedyBook,
        containers: Containers,
        leases: Leases,
        scene: Scene,
        clock: Clock,
        policy: Callable[[], RemedySettings],
        recheck: Callable[[str, float], None],
    ) -> None:
        self._book = book
        self._containers = containers
        self._leases = leases
        self._scene = scene
        self._clock = clock
        self._policy = policy
        self._recheck = recheck
        self.restarting = Restarting(book, containers, leases, scene, clock)
        self.standing: dict[str, Standing] = {}
        self._silent: dict[str, int] = {}
        self._worked: dict[str, float] = {}
        self._woken = asyncio.Event()

    async def heard(self, place: Place, result: DeepResult, outcome: Outcome) -> DeepResult:
        """Take a result up; returns it with what it means. Raises nothing that ends a check."""
        service = place.service
        self._silent[service] = (
            self._silent.get(service, 0) + 1 if outcome.trouble == "silent" else 0
        )
        if outcome.state in ("ok", "idle"):
            self._worked[service] = self._clock.monotonic()
            await self._works_again(place)
            return result
        wedge = wedge_of(outcome, self._silent[service], await self._log_errors(place, outcome))
        if wedge is None:
            self._drop(place)
            return result
        key = key_for(place)
        standing = self.standing.setdefault(key, Standing(key))
        standing.victims[service] = Victim(place, wedge, self._clock.monotonic())
        self._woken.set()
        return result.model_copy(
            update={
                "state": "wedged",
                "sentence": f"stuck: {wedge.reason}",
                "evidence": list(wedge.evidence),
            }
        )

    async def run(self) -> None:
        """Act for ever."""
        while True:
            self._woken.clear()
            try:
                await self.turn()
            except SparkError as error:
                _log.warning("remedy.turn_lost", reason=error.message)
            await self._rest()

    async def turn(self) -> None:
        """Settle what was left behind, then look at everything that is stuck, once."""
        for claim in await self.restarting.carry_on():
            passed = (self._clock.now() - claim.at).total_seconds()
            self._restarted(claim, self._clock.monotonic() - passed)
        for standing in list(self.standing.values()):
            try:
                await self._consider(standing)
            except InTheWayError as why:
                standing.waiting = str(why)
            except SparkError as error:
                standing.waiting = error.message

    async def _consider(self, standing: Standing) -> None:
        standing.waiting = ""
        newest, mode = standing.newest, self._mode(standing)
        if mode != "act":
            claim = self._claim(standing, "")
            press = words.press(newest.place, mode)
            await self._book.suggest(standing.key, claim.at, events.suggested(claim, press))
            return
        await clear(self._leases, self._scene, newest.place.host or "")
        if self._clock.monotonic() - newest.job_at > _FRESH_SECONDS:
            self._recheck(newest.place.service, 0.0)
            raise InTheWayError("it is checked once more first")
        sight = await self._run_of(standing)
        if sight is None:
            return
        if sight.age_seconds < GRACE_SECONDS:
            raise InTheWayError(f"it was started {sight.age_seconds:.0f} s ago: it gets 60 s")
        await self._restart(standing, self._claim(standing, sight.started_at), sight)

    async def _run_of(self, standing: Standing) -> ContainerSight | None:
        """Return the run of the container that is stuck; None when it is not that one any more."""
        place = standing.newest.place
        if place.host is None or place.container is None:
            return None
        sight = await self._containers.look(place.host, place.container)
        since = self._clock.monotonic() - standing.newest.job_at
        if sight is None or not sight.running or sight.age_seconds < since:
            # Stopped, removed or started anew since: what was seen is not true of it any more.
            del self.standing[standing.key]
            self._recheck(place.service, AGAIN_SECONDS)
            return None
        return sight

    async def _restart(self, standing: Standing, claim: Claim, sight: ContainerSight) -> None:
        ruling = await self._book.may(claim)
        if ruling.word == "rest":
            raise InTheWayError(f"it rests for another {ruling.wait_seconds:.0f} s")
        if ruling.word == "claimed":
            raise InTheWayError("its restart is under way")
        gave_up = events.gave_up(claim, words.OPEN_PRESS)
        if ruling.word == "open":
            await self._book.claim(claim, gave_up)
            return
        # Written down first: whoever comes after us finds it, and goes on under the same lease.
        if (await self._book.claim(claim, gave_up)).word == "yours":
            await self._begun(claim, sight)

    async def _begun(self, claim: Claim, sight: ContainerSight, *, take: bool = True) -> None:
        """``take``: the lease is there to be taken; else whoever has it lets this happen."""
        guard = (
            alone(self._leases, self._scene, claim.host, claim.id, reason_of(claim))
            if take
            else beside(self._scene, claim.host)
        )
        begun = self._clock.monotonic()
        try:
            async with self._book.at_work(claim, self._clock), guard:
                await self.restarting.act(claim, sight)
        except InTheWayError:
            await self._book.finish(claim, None, refund=True)
            raise
        self._restarted(claim, begun)

    def _restarted(self, claim: Claim, begun: float) -> None:
        """Forget who was seen stuck before ``begun``; the new run may be stuck as well by now."""
        standing = self.standing.get(claim.key)
        if standing is not None:
            for service, victim in list(standing.victims.items()):
                if victim.job_at <= begun:
                    del standing.victims[service]
            if not standing.victims:
                del self.standing[claim.key]
        for service in claim.services:
            self._silent[service] = 0
            self._recheck(service, AGAIN_SECONDS)

    async def press(
        self,
        place: Place,
        requested_by: str,
        *,
        token: SecretStr | None = None,
        force: bool = False,
    ) -> None:
        """Restart now because a person wants it. Raises InTheWayError, LeaseHeldError, SparkError.

        ``token``: of the lease, where it is the caller's own; ``force`` goes past that of others.
        """
        host, container = place.host, place.container
        if host is None or container is None:
            raise InTheWayError(words.press(place, "never"))
        take = await self._leases.admit(token, force=force)
        sight = await self._containers.look(host, container)
        if sight is None:
            raise InTheWayError(f"there is no container {container} on {host}")
        standing = self.standing.get(key_for(place)) or Standing(key_for(place))
        claim = Claim(
            id=new_id(),
            host=host,
            container=container,
            started_at=sight.started_at,
            services=sorted({place.service, *standing.victims}),
            reason=f"{requested_by} pressed it",
            evidence=list(standing.newest.wedge.evidence) if standing.victims else [],
            at=self._clock.now(),
            automatic=False,
            requested_by=requested_by,
        )
        if not await self._book.begin(claim):
            raise InTheWayError("its restart is under way")
        await self._begun(claim, sight, take=take)
        await self._book.heal(claim.key)

    def _claim(self, standing: Standing, started_at: str) -> Claim:
        newest = standing.newest
        others = sorted(set(standing.victims) - {newest.place.service})
        evidence = dict.fromkeys(
            line for victim in standing.victims.values() for line in victim.wedge.evidence
        )
        return Claim(
            id=new_id(),
            host=newest.place.host or "",
            container=newest.place.container or "",
            started_at=started_at,
            services=[newest.place.service, *others],
            reason=newest.wedge.reason,
            evidence=list(evidence),
            at=self._clock.now(),
        )

    def _mode(self, standing: Standing) -> Mode:
        modes = {mode_of(one.place, self._policy()) for one in standing.victims.values()}
        return "never" if "never" in modes else "suggest" if "suggest" in modes else "act"

    async def _works_again(self, place: Place) -> None:
        self._drop(place)
        if key_for(place) not in self.standing:
            try:
                await self._book.heal(key_for(place))
            except SparkError as error:
                _log.debug("remedy.not_healed", reason=error.message)

    def _drop(self, place: Place) -> None:
        standing = self.standing.get(key_for(place))
        if standing is not None:
            standing.victims.pop(place.service, None)
            if not standing.victims:
                del self.standing[standing.key]

    async def _log_errors(self, place: Place, outcome: Outcome) -> tuple[str, ...]:
        if outcome.trouble is None or place.host is None or place.container is None:
            return ()
        if outcome.trouble == "silent" and self._silent[place.service] < 2:
            return ()
        worked = self._worked.get(place.service)
        since = _LOG_SECONDS if worked is None else self._clock.monotonic() - worked
        return await self._errors(place.host, place.container, min(since, _LOG_SECONDS))

    async def _errors(self, host: str, container: str, seconds: float) -> tuple[str, ...]:
        from_log = self._containers.recent_lines(host, container, seconds)
        try:
            return words.gpu_errors(await from_log)
        except SparkError:
            return ()

    async def _rest(self) -> None:
        waking = asyncio.create_task(self._woken.wait())
        turn = asyncio.create_task(self._clock.sleep(_TURN_SECONDS))
        try:
            await asyncio.wait((waking, turn), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            turn.cancel()
