"""Three schedulers that are killed and paused, and the judge of what they told."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spark_common.embedded import NatsServer, RedisServer

_PROGRAM = Path(__file__).parent.parent / "scheduler_process.py"
CLAIM_SECONDS = 1.5


class SchedulerProcess:
    """One of them; a killed one comes back as a supervisor would bring it."""

    def __init__(self, arguments: Iterable[str], log: Path) -> None:
        self._arguments = list(arguments)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start and return when it looks at schedules."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(_PROGRAM),
                *self._arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(_PROGRAM.parent)},
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while b"started" not in await self._process.stdout.readline():
                assert self._process.returncode is None, self._log.read_text()[-2000:]
        self._draining = asyncio.create_task(self._process.stdout.read())

    async def kill(self) -> None:
        """Kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
            await self._draining

    async def pause(self, seconds: float) -> None:
        """Stop it for a while, in the middle of whatever it does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)


@dataclass
class SchedulerPlant:
    """Servers and schedulers, and what was done to them."""

    nats: NatsServer
    redis: RedisServer
    schedulers: list[SchedulerProcess]
    done: Counter[str] = field(default_factory=Counter)

    async def harm(self, what: str, rng: random.Random) -> None:
        """Kill or pause something, and bring it back."""
        self.done[what] += 1
        victim = rng.choice(self.schedulers)
        match what:
            case "kill":
                await victim.kill()
                await victim.start()
            case "pause":
                # Longer than it is believed in: when it goes on, somebody else leads.
                await victim.pause(CLAIM_SECONDS + rng.uniform(0.1, 0.6))
            case "redis":
                await self.redis.kill()
                await asyncio.sleep(rng.uniform(0, 0.3))
                await self.redis.start()
            case "nats":
                await self.nats.kill()
                await asyncio.sleep(rng.uniform(0, 0.3))
                await self.nats.start()


@dataclass(frozen=True)
class Told:
    """Ids of runs, as they were told and as they had their effects."""

    due: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """The run before it was not over."""
    made_up: list[str] = field(default_factory=list)
    """Nobody could start it before the next time of its schedule came, which ran instead."""
    missed: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)


def judge(wanted: set[str], told: Told) -> list[str]:
    """Return what is wrong, one sentence each.

    Every nominal time is due once and over once, and what finished had its one effect; where
    several had come before anybody could start one, the policy has the latest run alone.
    """
    over = [*told.finished, *told.skipped, *told.made_up, *told.missed]
    wrong = [f"{run} was missed" for run in told.missed]
    wrong += [f"{run} was due and made up for" for run in told.made_up if run in told.due]
    wrong += _once("due", told.due, wanted - set(told.made_up))
    wrong += _once("over", over, wanted)
    wrong += _once("carried out", told.effects, set(told.finished))
    return wrong


def _once(word: str, runs: list[str], wanted: set[str]) -> list[str]:
    counted = Counter(runs)
    wrong = [f"{run} was {word} {number} times" for run, number in counted.items() if number > 1]
    return wrong + [f"{run} was never {word}" for run in sorted(wanted - set(counted))]
