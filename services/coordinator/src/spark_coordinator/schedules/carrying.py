"""Carries runs to their outcome; whoever takes over from a coordinator that died goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import structlog

from spark_common.clock import Clock
from spark_common.errors import NotFoundError, SparkError, UnavailableError
from spark_common.tasks import end
from spark_coordinator.schedules import telling
from spark_coordinator.schedules.effects import Effects, Result
from spark_coordinator.schedules.holding import Holding, LateError, UnwantedError
from spark_coordinator.schedules.record import LiveRun
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.run_store import RunStore

_POLL_SECONDS = 2.0
_RETRY_SECONDS = 2.0
_PATIENCE_SECONDS = 300.0
"""How long a service that is away is waited for before an effect was accepted."""
_LONGEST = timedelta(hours=6)
"""After this nobody waits for the outcome of a swap any longer."""
_NO_OUTCOME = "No outcome of its swap was told within 6 hours; the history of swaps has it."
_BROKE = "Something went wrong in the coordinator; its log names this run."
_log = structlog.get_logger()
T = TypeVar("T")


class TakenOverError(Exception):
    """Somebody else carries this run on: let go of it without a word."""


class Carrying:
    """One task per run. Every step is saved before it is done, and may be done again."""

    def __init__(
        self,
        registry: Registry,
        runs: RunStore,
        holding: Holding,
        effects: Effects,
        clock: Clock,
        told: Callable[[], None],
    ) -> None:
        """``told`` is called when an event was written that nobody has told yet."""
        self._registry = registry
        self._runs = runs
        self._holding = holding
        self._effects = effects
        self._clock = clock
        self._told = told
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def keep_up(self) -> None:
        """Begin or go on with every run that nobody here works on. Raises UnavailableError."""
        for run_id in [one for one, task in self._tasks.items() if task.done()]:
            del self._tasks[run_id]
        for run in await self._runs.live():
            if run.kind != "outside" and run.id not in self._tasks:
                self._tasks[run.id] = asyncio.create_task(self._safely(run))

    async def let_go(self) -> None:
        """Stop working on runs: somebody else leads now, or this process ends."""
        tasks, self._tasks = self._tasks, {}
        await end(list(tasks.values()))

    async def _safely(self, run: LiveRun) -> None:
        try:
            await self.carry(run)
        except TakenOverError:
            _log.info("schedule.run_taken_over", run=run.id)
        except UnavailableError as error:
            # It stays as it is saved; the next look goes on with it.
            _log.warning("schedule.run_paused", run=run.id, why=error.message)
            await self._clock.sleep(_RETRY_SECONDS)
        except Exception:
            _log.exception("schedule.run_broke", run=run.id)
            await self._write_off(run.id)

    async def _write_off(self, run_id: str) -> None:
        """End a run that met a bug: else it would be in the way of all that follow."""
        with suppress(UnavailableError):
            run = await self._runs.get_live(run_id)
            if run is not None:
                await self._conclude(run, Result("failed", _BROKE))

    async def carry(self, run: LiveRun) -> None:
        """Take a run from where it stands to its end.

        Raises TakenOverError, and UnavailableError while Redis is away.
        """
        try:
            if run.kind == "sweep":
                run, result = await self._at_once(run, self._effects.sweep)
            elif run.kind == "snapshot":
                run, result = await self._at_once(run, self._snapshot)
            else:
                if run.stage == "due":
                    run = await self._begin(run)
                run, result = await self._act(run)
        except LateError as late:
            await self._miss(run, str(late))
        except UnwantedError as unwanted:
            over = run.over("skipped", str(unwanted), self._clock.now())
            await self._runs.finish(run, over)
        else:
            await self._conclude(run, result)

    async def _snapshot(self, run: LiveRun) -> Result:
        log = (await self._runs.logs([run.schedule_id])).get(run.schedule_id, [])
        return await self._effects.snapshot(run, [one.snapshot for one in log if one.snapshot])

    async def _unwanted(self, run: LiveRun) -> str | None:
        entry = await self._registry.get(run.schedule_id)
        if entry is not None and entry.schedule.enabled:
            return None
        why = "removed" if entry is None else "switched off"
        return f"Its schedule was {why} before it began."

    async def _begin(self, run: LiveRun) -> LiveRun:
        held = await self._holding.take(run, lambda: self._unwanted(run))
        if held is None:
            raise TakenOverError
        return await self._saved(held, stage="acting", started_at=self._clock.now(), waits_for=None)

    async def _at_once(
        self, run: LiveRun, effect: Callable[[LiveRun], Awaitable[Result]]
    ) -> tuple[LiveRun, Result]:
        """Do what touches no model: it needs no lease."""
        if run.stage == "due":
            if self._clock.now() > run.until:
                raise LateError("nobody could start it within its window")
            run = await self._saved(run, stage="acting", started_at=self._clock.now())
        begun = run
        return run, await self._patiently(lambda: effect(begun))

    async def _act(self, run: LiveRun) -> tuple[LiveRun, Result]:
        if run.stage == "acting":
            if run.swap_model is None:
                model = run.model
                if run.kind != "swap" and model is None:
                    loaded = await self._patiently(self._effects.loaded)
                    if isinstance(loaded, Result):
                        return run, loaded
                    if run.kind == "restart" and loaded is None:
                        nothing = "Nothing that is on the menu is loaded: nothing was restarted."
                        return run, Result("failed", nothing)
                    if run.kind == "warm":
                        return run, await self._patiently(lambda: self._effects.warm(run))
                    model = loaded
                run = await self._saved(run, swap_model=model)
            asked = await self._ask(run)
            if isinstance(asked, Result):
                return run, asked
            if not asked:
                run = await self._saved(run, swap_model=None)
                return run, await self._already(run)
            run = await self._saved(run, stage="following")
        return run, await self._follow(run)

    async def _ask(self, run: LiveRun) -> bool | Result:
        token, model = await self._holding.token(run), run.swap_model or ""
        if token is None and self._clock.now() > run.until:
            # The lease ran out while nobody went on with it: what was not asked for is too late.
            under_way = await self._patiently(lambda: self._under_way(run))
            if under_way is False:
                raise LateError("nobody went on with it before its lease ended")
            return under_way
        return await self._patiently(lambda: self._effects.swap(run, model, token))

    async def _under_way(self, run: LiveRun) -> bool:
        """Say whether the swap of a run was accepted. Raises SparkError."""
        try:
            await self._effects.outcome(run)
        except NotFoundError:
            return False
        return True

    async def _already(self, run: LiveRun) -> Result:
        if run.kind == "warm":
            return await self._patiently(lambda: self._effects.warm(run))
        return Result("done", f"{run.model} was loaded already; nothing was touched.")

    async def _follow(self, run: LiveRun) -> Result:
        since = run.started_at or run.nominal
        while True:
            await self._holding.keep(run)
            try:
                result = await self._effects.outcome(run)
            except NotFoundError:
                return Result("failed", "The swapper knows its swap no more.")
            except SparkError as error:
                _log.info("schedule.outcome_unseen", run=run.id, code=error.code)
                result = None
            if result is not None:
                if result.state == "done" and run.kind == "warm":
                    return await self._patiently(lambda: self._effects.warm(run))
                return result
            if self._clock.now() - since > _LONGEST:
                return Result("failed", _NO_OUTCOME)
            await self._clock.sleep(_POLL_SECONDS)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T | Result:
        """Ask until there is an answer; a refusal, or silence for minutes, is the result."""
        began = self._clock.monotonic()
        while True:
            try:
                return await ask()
            except SparkError as error:
                patient = self._clock.monotonic() - began < _PATIENCE_SECONDS
                if not error.retryable or not patient:
                    return Result("failed", f"It could not be done: {error.message}.")
                await self._clock.sleep(_RETRY_SECONDS)

    async def _saved(self, run: LiveRun, **facts: object) -> LiveRun:
        saved = await self._runs.save(run, **facts)
        if saved is None:
            raise TakenOverError
        return saved

    async def _conclude(self, run: LiveRun, result: Result) -> None:
        await self._holding.give_back(run)
        now = self._clock.now()
        over = run.over(result.state, result.message, now, result.snapshot)
        if await self._runs.finish(run, over, telling.finished(run, over, now)):
            self._told()
            _log.info("schedule.finished", run=run.id, outcome=result.state)

    async def _miss(self, run: LiveRun, reason: str) -> None:
        now = self._clock.now()
        over = run.over("missed", reason, now)
        if await self._runs.finish(run, over, telling.missed(run, reason, now)):
            self._told()
            _log.warning("schedule.missed", run=run.id, why=reason)
