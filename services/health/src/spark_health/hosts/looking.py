"""Looks at every Spark again and again, in one round trip each, and keeps what it said."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import structlog

from spark_common.clock import Clock
from spark_common.contracts.hardware import Answering
from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    SparkError,
)
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.port import RemoteShell
from spark_common.settings import HostSettings
from spark_health.hosts.asking import gone
from spark_health.hosts.ports import Reach
from spark_health.hosts.reading import read
from spark_health.hosts.sections import split
from spark_health.hosts.sight import Sight

ANSWERED: frozenset[Answering] = frozenset({"well", "slow", "partly"})
"""How a Spark answers whose numbers came."""
SCRIPT = resources.files(__package__).joinpath("look.sh").read_bytes()
_ALIVE = RemoteCommand(("cat", "/proc/uptime"))
_log = structlog.get_logger()


@dataclass(frozen=True)
class LookTimes:
    """Seconds."""

    between: float = 5.0
    patience: float = 8.0
    """How long a Spark may take for a command that does nothing."""
    budget: int = 6
    """What all parts of a look may take together, on the Spark itself."""
    slow: float = 4.0
    """From here on a Spark is called slow."""
    whole: float = 30.0
    """Between two looks at what rarely changes."""


class HardwareWatch:
    """What every Spark said last."""

    def __init__(
        self,
        shell: RemoteShell,
        hosts: tuple[HostSettings, ...],
        reach: Reach,
        clock: Clock,
        times: LookTimes | None = None,
        told: Callable[[Sight], None] = lambda _: None,
    ) -> None:
        """``told``: called after every answer; returns at once."""
        self._shell = shell
        self._reach = reach
        self._clock = clock
        self._times = times or LookTimes()
        self._told = told
        self._sights = {host.name: Sight(host) for host in hosts}

    @property
    def sights(self) -> Mapping[str, Sight]:
        """What is known, by host, in the order of the settings."""
        return self._sights

    async def run(self) -> None:
        """Look for ever, at every Spark on its own."""
        async with asyncio.TaskGroup() as group:
            for name in self._sights:
                group.create_task(self._follow(name))

    async def look(self, name: str) -> Sight:
        """Look at one Spark now and return what is known of it; raises nothing."""
        before = self._sights[name]
        sight = await self._see(before)
        self._sights[name] = sight
        if sight.answering != before.answering:
            _log.info("hosts.answering", host=name, now=sight.answering, reason=sight.reason)
        if sight.read_mono != before.read_mono:
            self._told(sight)
        return sight

    def found_silent(self, name: str, answering: Answering, reason: str) -> None:
        """Take over that somebody else asked in vain, more than once."""
        before = self._sights[name]
        if before.answering != answering:
            _log.info("hosts.answering", host=name, now=answering, reason=reason)
        self._sights[name] = before.failed(answering, reason, self._clock.monotonic())

    async def _follow(self, name: str) -> None:
        while True:
            await self.look(name)
            await self._clock.sleep(self._times.between)

    async def _see(self, before: Sight) -> Sight:
        host, times = before.host, self._times
        mark = f"@@{secrets.token_hex(8)}"
        began = self._clock.now(), self._clock.monotonic()
        stale = before.rest_mono is None or began[1] - before.rest_mono >= times.whole
        # A Spark in trouble is asked for everything: what hangs, what changed while it was away.
        width = "whole" if stale or before.answering in {"dead", "hung", "partly"} else "quick"
        command = RemoteCommand(("sh", "-s", mark, str(times.budget), width), stdin=SCRIPT)
        try:
            result = await self._shell.run(
                host.name, command, timeout_seconds=times.budget + times.patience / 2
            )
        except SparkError as error:
            return await self._without_answer(before, error)
        return self._answered(before, result, mark, began)

    def _answered(
        self, before: Sight, result: RemoteResult, mark: str, began: tuple[datetime, float]
    ) -> Sight:
        label, now = before.host.label, self._clock.monotonic()
        reading = read(split(result.stdout, mark))
        if reading.says_anything or reading.complete:
            return before.after(reading, began, now, self._times.slow)
        if result.exit_code is None:
            return before.failed(
                "dead", f"{label} lost the connection while it was looked at.", now
            )
        return before.failed(
            "partly", f"{label} lets us in and answered with nothing that can be read.", now
        )

    async def _without_answer(self, before: Sight, error: SparkError) -> Sight:
        host = before.host
        match error:
            case HostKeyChangedError():
                return before.failed("refused", error.message, self._clock.monotonic())
            case DeadlineExceededError():
                if await self._reach.accepts(host.address, host.ssh_port):
                    return await self._alive(before)
                return before.failed("dead", gone(host), self._clock.monotonic())
            case HostUnreachableError() if "SSH_KEY_PATH" in error.message:
                return before.failed("unknown", error.message, self._clock.monotonic())
            case HostUnreachableError() if "permission denied" in error.message:
                return before.failed("refused", error.message, self._clock.monotonic())
            case HostUnreachableError():
                silent = "timed out" in error.message
                if silent and await self._reach.accepts(host.address, host.ssh_port):
                    return before.failed("hung", _hung(host), self._clock.monotonic())
                return before.failed("dead", error.message, self._clock.monotonic())
            case _:
                return before.failed("unknown", error.message, self._clock.monotonic())

    async def _alive(self, before: Sight) -> Sight:
        """Tell a Spark on which one program hangs from one on which everything does."""
        host = before.host
        try:
            result = await self._shell.run(
                host.name, _ALIVE, timeout_seconds=self._times.patience / 2
            )
        except SparkError:
            return before.failed("hung", _hung(host), self._clock.monotonic())
        if result.ok:
            partly = f"{host.label} runs commands, and a program that tells how it is hangs."
            return before.failed("partly", partly, self._clock.monotonic())
        return before.failed("hung", _hung(host), self._clock.monotonic())


def _hung(host: HostSettings) -> str:
    return (
        f"{host.label} takes connections and runs nothing: it hangs, most often because its "
        "memory ran out. Wait some minutes, then switch it off and on."
    )
