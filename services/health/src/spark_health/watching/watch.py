"""The loop over all probes: each on its own interval, none waits for another."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.health import TargetView
from spark_common.errors import SparkError
from spark_common.events import HealthTransition
from spark_common.subjects import health_transition
from spark_common.tasks import end
from spark_health.watching import numbers
from spark_health.watching.judge import Ground, Verdict, judge, lapse
from spark_health.watching.keeping import (
    KeepsStandings,
    KeepsUptime,
    KnowsMaintenance,
    Wakes,
)
from spark_health.watching.maintaining import covers
from spark_health.watching.ports import Probe, Sighting, Target
from spark_health.watching.showing import stale_after, state_of, view_of
from spark_health.watching.standing import Moment, Standing
from spark_health.watching.telling import entry_of
from spark_health.watching.uptime import Counted

LONGEST_LOOK_SECONDS: Final = 20.0
"""After that a look is cut off, whatever the probe promised."""
_MOST_HANGING: Final = 5
_ROUND_SECONDS: Final = 1.0
_NUMBERS_SECONDS: Final = 5.0
_SAVE_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 1.0
_FORGET: Final = timedelta(days=30)
_log = structlog.get_logger()


class Watch:
    """Looks at everything, for ever."""

    def __init__(
        self,
        probes: Callable[[], Sequence[Probe]],
        *,
        standings: KeepsStandings,
        uptime: KeepsUptime,
        maintenance: KnowsMaintenance,
        teller: Wakes,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._wanted = probes
        self._store = standings
        self._uptime_book = uptime
        self._maintenance = maintenance
        self._teller = teller
        self._bus = bus
        self._clock = clock
        self._probes: dict[str, Probe] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._standings: dict[str, Standing] = {}
        self._counted: dict[str, Counted] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._hanging: dict[str, set[asyncio.Task[Sighting]]] = {}
        self._counted_at: float | None = None
        self._shown_at = float("-inf")
        self.ready = False
        """Whether what was known before was read."""

    @property
    def targets(self) -> dict[str, Target]:
        """Everything that is watched now, hosts first, by name."""
        found = [probe.target for probe in self._probes.values()]
        found.sort(key=lambda one: (one.kind != "host", one.name))
        return {one.name: one for one in found}

    def views(self) -> list[TargetView]:
        """Return how every target is shown now."""
        return [self._view(target) for target in self.targets.values()]

    def view(self, name: str) -> TargetView | None:
        """Return how one target is shown now; None for what is not watched."""
        probe = self._probes.get(name)
        return None if probe is None else self._view(probe.target)

    async def run(self) -> None:
        """Look for ever."""
        try:
            await self._load()
            saved = self._clock.monotonic()
            while True:
                await self._sync()
                await self._sweep()
                if self._clock.monotonic() - saved >= _SAVE_SECONDS:
                    saved = self._clock.monotonic()
                    await self._save()
                await self._clock.sleep(_ROUND_SECONDS)
        finally:
            await end(list(self._tasks.values()))

    async def look_now(self, name: str) -> None:
        """Look at one target once more and take it in, beside its own interval."""
        if probe := self._probes.get(name):
            await self._take(probe, await self._look(probe))

    async def _load(self) -> None:
        """Take over what was known; nothing is judged before that."""
        while True:
            try:
                kept = await self._store.all()
                await self._maintenance.refresh()
                break
            except SparkError as error:
                _log.warning("health.not_read", reason=error.message)
                await self._clock.sleep(_RETRY_SECONDS)
        moment = self._moment()
        for name, standing in kept.items():
            looked = standing.looked_at or standing.since
            if looked is not None and moment.now - looked > _FORGET:
                await self._forget(name)
                continue
            self._standings[name] = standing.awake(moment)
        self.ready = True

    async def _forget(self, name: str) -> None:
        try:
            await self._store.forget(name)
        except SparkError as error:
            _log.debug("health.not_forgotten", target=name, reason=error.message)

    async def _sync(self) -> None:
        """Begin to watch what is new, let go of what is gone."""
        wanted = {probe.target.name: probe for probe in self._wanted()}
        for name in set(self._probes) - set(wanted):
            del self._probes[name]
            numbers.forget(name)
        self._probes.update(wanted)
        for name in list(self._tasks):
            if self._tasks[name].done() or name not in wanted:
                await end([self._tasks.pop(name)])
        for name in wanted:
            if name not in self._tasks and await self._known(name):
                # Nobody could look before: that is no silence of the target.
                update = {"told_steady": self._clock.monotonic()}
                self._standings[name] = self._standings[name].model_copy(update=update)
                self._tasks[name] = asyncio.create_task(self._keep(name), name=f"watch {name}")

    async def _known(self, name: str) -> bool:
        """Have what the record or else the log says about a target; False while neither can."""
        try:
            if name not in self._counted:
                self._counted[name] = await self._uptime_book.read(name)
            if name not in self._standings:
                self._standings[name] = await self._from_log(name)
        except SparkError as error:
            _log.debug("health.target_not_read", target=name, reason=error.message)
            return False
        return True

    async def _from_log(self, name: str) -> Standing:
        """Return the standing after the last transition that was told, or a fresh one."""
        fresh = Standing().awake(self._moment())
        last = await self._bus.last_message("SC_HEALTH", health_transition(name))
        if last is None or last.envelope is None:
            return fresh
        try:
            event = HealthTransition.model_validate(last.envelope.data)
            return Standing.model_validate(
                {"level": event.after, "since": event.since, "watched_since": event.since}
            ).awake(self._moment())
        except ValidationError:
            return fresh

    async def _keep(self, name: str) -> None:
        while (probe := self._probes.get(name)) is not None:
            rest = probe.every_seconds
            try:
                sighting = await self._look(probe)
                if sighting.again_seconds is not None:
                    rest = min(rest, sighting.again_seconds)
                await self._take(probe, sighting)
            except Exception:
                _log.exception("health.look_not_taken", target=name)
            await self._clock.sleep(max(rest, 0.1))

    async def _look(self, probe: Probe) -> Sighting:
        """Look once, cut off after a while; whatever goes wrong in the probe is not the target."""
        name, began = probe.target.name, self._clock.monotonic()
        hanging = self._hanging.setdefault(name, set())
        if len(hanging) >= _MOST_HANGING:
            # They hold on to their cancellation: more of them would see no more.
            return Sighting("unknown", "the last looks still hang", self._clock.now())
        looking = asyncio.create_task(probe.look())
        hanging.add(looking)
        looking.add_done_callback(hanging.discard)
        looking.add_done_callback(_heeded)
        alarm = asyncio.create_task(self._clock.sleep(LONGEST_LOOK_SECONDS))
        try:
            await asyncio.wait((looking, alarm), return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                reason = f"the look was cut off after {LONGEST_LOOK_SECONDS:g} s"
                return Sighting("unknown", reason, self._clock.now())
            if looking.cancelled():
                return Sighting("unknown", "the look was given up", self._clock.now())
            failure = looking.exception()
            if failure is None:
                return looking.result()
            _log.error("health.probe_broke", target=name, exc_info=failure)
            reason = f"the check itself is broken ({type(failure).__name__})"
            return Sighting("unknown", reason, self._clock.now())
        finally:
            numbers.looked(name, self._clock.monotonic() - began)
            # Not waited for: a look that holds on to its cancellation delays nobody.
            looking.cancel()
            alarm.cancel()

    async def _take(self, probe: Probe, sighting: Sighting) -> None:
        name = probe.target.name
        async with self._lock(name):
            standing = self._standings[name]
            verdict = judge(standing, sighting, self._moment(), self._ground(probe.target))
            await self._settle(probe.target, standing, verdict)

    async def _settle(self, target: Target, before: Standing, verdict: Verdict) -> None:
        """Write a transition with its event; what cannot be written is judged again later."""
        after = verdict.standing
        if verdict.change is not None:
            windows = self._maintenance.windows
            planned = covers(windows, target.name, target.host, self._clock.now())
            entry = entry_of(target, after.n, verdict.change, planned)
            kept = {
                name: getattr(before, name)
                for name in ("level", "since", "n", "changed", "unsteady")
            }
            kept["watched_since"] = before.watched_since
            try:
                written = await self._store.settle(target.name, after, entry)
            except SparkError as error:
                _log.warning("health.not_written", target=target.name, reason=error.message)
                # It may have been written all the same; the record says so next time.
                self._standings[target.name] = after.model_copy(update=kept)
                return
            if not written:
                await self._reread(target.name, after.model_copy(update=kept))
                return
            numbers.changed(target.name, verdict.change.after)
            _log.info(
                "health.transition",
                target=target.name,
                before=verdict.change.before,
                after=verdict.change.after,
                reason=verdict.change.reason,
            )
            self._teller.wake()
        self._standings[target.name] = after
        if verdict.change is None and after.level != before.level:
            # Seen for the first time: that it was well before it fails is to be known.
            try:
                await self._store.save(target.name, after)
            except SparkError as error:
                _log.debug("health.not_saved", target=target.name, reason=error.message)

    async def _reread(self, name: str, seen: Standing) -> None:
        """Take over what somebody else settled, with what was seen here."""
        try:
            found = await self._store.one(name)
        except (SparkError, ValidationError) as error:
            _log.debug("health.not_read", target=name, reason=type(error).__name__)
            found = None
        if found is None:
            # The record is empty: the next transition begins it anew.
            self._standings[name] = seen.model_copy(update={"n": 0})
            return
        settled = {
            key: getattr(found, key)
            for key in ("level", "since", "n", "changed", "watched_since", "unsteady")
        }
        self._standings[name] = seen.model_copy(update=settled)

    async def _sweep(self) -> None:
        """Count uptime, and settle what nobody could look at for too long."""
        moment, windows = self._moment(), self._maintenance.windows
        passed = 0.0 if self._counted_at is None else moment.steady - self._counted_at
        self._counted_at = moment.steady
        show = moment.steady >= self._shown_at + _NUMBERS_SECONDS
        self._shown_at = moment.steady if show else self._shown_at
        for name, target in self.targets.items():
            if name not in self._tasks:
                continue
            probe = self._probes[name]
            stale = stale_after(probe.every_seconds)
            state = state_of(self._standings[name], moment, stale, self._ground(target))
            if not covers(windows, name, target.host, moment.now):
                self._counted[name].count(state, passed, moment.now)
            if show:
                numbers.stands(self._view(target))
            lock = self._lock(name)
            if lock.locked():
                continue
            async with lock:
                standing = self._standings[name]
                verdict = lapse(standing, self._moment(), stale)
                if verdict.change is not None:
                    await self._settle(target, standing, verdict)

    async def _save(self) -> None:
        """Write down what was seen and counted: a killed process loses half a minute of that."""
        now = self._clock.now()
        try:
            await self._maintenance.refresh()
            for name, standing in list(self._standings.items()):
                if name not in self._tasks:
                    continue
                await self._uptime_book.write(name, self._counted[name], now)
                async with self._lock(name):
                    standing = self._standings[name]
                    if not await self._store.save(name, standing):
                        await self._reread(name, standing)
        except SparkError as error:
            _log.warning("health.not_saved", reason=error.message)

    def _view(self, target: Target) -> TargetView:
        moment = self._moment()
        probe = self._probes[target.name]
        standing = self._standings.get(target.name) or Standing()
        counted = self._counted.get(target.name) or Counted()
        return view_of(
            target,
            standing,
            moment,
            stale_seconds=stale_after(probe.every_seconds),
            ground=self._ground(target),
            maintenance=covers(self._maintenance.windows, target.name, target.host, moment.now),
            uptime=counted.view(moment.now, standing.watched_since),
        )

    def _ground(self, target: Target) -> Ground:
        """Return how the host below a target is, as far as it is watched itself."""
        host = self._standings.get(target.host or "")
        if host is None or target.host == target.name or target.host not in self._probes:
            return "solid"
        if host.level == "down":
            return "gone"
        own = self._standings.get(target.name)
        missed = None if own is None else own.missed_steady
        if host.misses > 0:
            return "shaking"
        if missed is not None and (host.looked_steady is None or host.looked_steady < missed):
            return "shaking"
        return "solid"

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


def _heeded(looking: "asyncio.Task[Sighting]") -> None:
    """Take in how a look ended that nobody waited for any more."""
    if not looking.cancelled():
        looking.exception()


def by_name(probes: Sequence[Sequence[Probe]]) -> list[Probe]:
    """Return one probe per target: of two, the later one."""
    found: Mapping[str, Probe] = {probe.target.name: probe for each in probes for probe in each}
    return list(found.values())
