"""The supervisor against parts that live and die on command."""

import asyncio
from dataclasses import dataclass, field

import pytest

from spark_cli.supervisor import Stage, StartFailedError, Supervisor
from spark_cli.terminal import Terminal
from spark_common.embedded import ServerStartError


@dataclass
class FakePart:
    """A part whose deaths are decided by the test."""

    name: str
    journal: list[str]
    ready_after: int = 1
    dies_at_once: int = 0
    refuses: set[int] = field(default_factory=set)
    """Which starts fail because somebody else has the port."""
    _probes: int = 0
    _ended: asyncio.Future[int] | None = None
    starts: int = 0
    restarted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        return self.starts or None

    async def start(self) -> None:
        self.starts += 1
        self.journal.append(f"start {self.name}")
        if self.starts in self.refuses:
            raise ServerStartError("port 4222 is taken")
        self._ended = asyncio.get_running_loop().create_future()
        self._probes = 0
        if self.starts <= self.dies_at_once:
            self._ended.set_result(1)
        elif self.starts > 1:
            self.restarted.set()

    async def ready(self) -> str | None:
        self._probes += 1
        alive = self._ended is not None and not self._ended.done()
        return "up" if alive and self._probes >= self.ready_after else None

    async def wait(self) -> int:
        assert self._ended is not None
        return await asyncio.shield(self._ended)

    async def stop(self, seconds: float) -> None:
        self.journal.append(f"stop {self.name}")
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(0)

    def last_words(self) -> str:
        return "the port is taken"

    def die(self) -> None:
        assert self._ended is not None
        self._ended.set_result(-9)


async def test_stages_start_in_order_and_stop_in_reverse() -> None:
    journal: list[str] = []
    first, second = FakePart("bus", journal), FakePart("gateway", journal, ready_after=3)
    supervisor = Supervisor([Stage([first]), Stage([second])], Terminal())
    await supervisor.start()
    await supervisor.stop()
    assert journal == ["start bus", "start gateway", "stop gateway", "stop bus"]


async def test_a_part_that_is_killed_is_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    part = FakePart("swapper", [])
    supervisor = Supervisor([Stage([part])], Terminal())
    await supervisor.start()
    part.die()
    await asyncio.wait_for(part.restarted.wait(), 30)
    await supervisor.stop()
    assert part.starts == 2
    assert "swapper        ended with signal 9; starting it again" in capsys.readouterr().err


async def test_a_server_that_cannot_be_started_again_is_told_and_tried_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = FakePart("nats", [], refuses={2})
    supervisor = Supervisor([Stage([part])], Terminal())
    await supervisor.start()
    part.die()
    await asyncio.wait_for(part.restarted.wait(), 30)
    await supervisor.stop()
    assert part.starts == 3
    assert "nats           cannot be started: port 4222 is taken" in capsys.readouterr().err


async def test_a_part_that_cannot_start_ends_the_start_with_its_last_words() -> None:
    part = FakePart("gateway", [], dies_at_once=99)
    supervisor = Supervisor([Stage([part])], Terminal())
    with pytest.raises(ExceptionGroup) as failure:
        await supervisor.start()
    await supervisor.stop()
    (error,) = failure.value.exceptions
    assert isinstance(error, StartFailedError)
    assert str(error) == "gateway does not start: the port is taken"


async def test_a_part_that_never_gets_ready_is_given_up() -> None:
    part = FakePart("health", [], ready_after=10**9)
    supervisor = Supervisor([Stage([part], within_seconds=0.2)], Terminal())
    with pytest.raises(ExceptionGroup) as failure:
        await supervisor.start()
    await supervisor.stop()
    assert "health is not ready after 0 s" in str(failure.value.exceptions[0])
