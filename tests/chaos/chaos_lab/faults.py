"""The killer: a list of faults drawn from a seed, each at its point of progress."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chaos_lab.control_box import ControlBox
from chaos_lab.fast_clock import ACK_WAIT_SECONDS
from chaos_lab.plant import Plant

_STANDSTILL_SECONDS = 20.0
"""Longer than any fault holds a swap up, on a busy machine too: then nothing comes any more."""


@dataclass(frozen=True)
class Fault:
    """What is done, after how many launches, and after which further wait."""

    kind: str
    after_launches: int
    delay_seconds: float
    lasts_seconds: float


def draw(
    rng: random.Random, kinds: dict[str, int], launches: int, most_delay_seconds: float = 0.2
) -> list[Fault]:
    """Return the faults of a run, spread over its first ``launches`` launches."""
    drawn = [kind for kind, count in kinds.items() for _ in range(count)]
    rng.shuffle(drawn)
    gap = launches / (len(drawn) + 1)
    return [
        Fault(
            kind,
            round(gap * (n + rng.random())),
            rng.uniform(0, most_delay_seconds),
            rng.uniform(0, 0.4),
        )
        for n, kind in enumerate(drawn)
    ]


class Killer:
    """Carries out faults one after the other.

    ``counts`` are those that took place, ``outlived`` the zombies that had nothing to do when
    they woke up, and so met no guard.
    """

    def __init__(self, plant: Plant, faults: list[Fault]) -> None:
        self.counts: Counter[str] = Counter()
        self.outlived = 0
        self._plant = plant
        self._faults = faults

    async def run(self, asked: Callable[[], bool]) -> None:
        """Attack until the list is at its end, or all is asked and nothing happens any more."""
        for fault in self._faults:
            if not await self._reached(fault.after_launches, asked):
                return
            await asyncio.sleep(fault.delay_seconds)
            await self._carry_out(fault)

    async def _reached(self, launches: int, asked: Callable[[], bool]) -> bool:
        seen, since = -1, time.monotonic()
        while (now := self._plant.sandbox.launches()) < launches:
            if now != seen:
                seen, since = now, time.monotonic()
            if asked() and time.monotonic() - since > _STANDSTILL_SECONDS:
                return False
            await asyncio.sleep(0.01)
        return True

    async def _carry_out(self, fault: Fault) -> None:
        plant, swapper = self._plant, self._plant.current
        assert swapper is not None
        match fault.kind:
            case "kill swapper":
                if not plant.signal(swapper, signal.SIGKILL):
                    return
            case "freeze swapper":
                if not await self._freeze(swapper, ACK_WAIT_SECONDS + fault.lasts_seconds):
                    return
            case "kill nats":
                await plant.nats.kill()
                await asyncio.sleep(fault.lasts_seconds)
                await plant.nats.start()
            case "kill redis":
                await plant.redis.kill()
                await asyncio.sleep(fault.lasts_seconds)
                await plant.redis.start()
            case "hang nats":
                await _hang(plant.nats.pid, fault.lasts_seconds * 3)
            case "hang redis":
                await _hang(plant.redis.pid, fault.lasts_seconds * 3)
            case "cut power":
                assert isinstance(plant, ControlBox)
                await plant.cut_power()
            case _:
                raise AssertionError(fault.kind)
        self.counts[fault.kind] += 1

    async def _freeze(self, swapper: int, seconds: float) -> bool:
        """Stop a swapper, let another one take over, and wake it: it must do no more harm."""
        plant = self._plant
        if not plant.signal(swapper, signal.SIGSTOP):
            return False
        await plant.start_swapper()
        await asyncio.sleep(seconds)
        plant.signal(swapper, signal.SIGCONT)
        for _ in range(150):
            if not plant.lives(swapper):
                break
            await asyncio.sleep(0.01)
        else:
            # It had nothing to do at that moment; it has been awake beside the other for a while.
            self.outlived += plant.signal(swapper, signal.SIGKILL)
        return True


async def _hang(pid: int | None, seconds: float) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
