"""Acts out the failures of a load: says the last words, or says nothing for ever."""

import asyncio
from typing import TYPE_CHECKING

from spark_sim import vllm_log as log
from spark_sim.faults import Behaviour
from spark_sim.load_failures import LOAD_FAILURES, LoadFailure, Stage

if TYPE_CHECKING:
    from spark_sim.vllm_process import VllmProcess

_CORE = "/usr/local/lib/python3.12/dist-packages/vllm/v1/engine/core.py"
_STALL_EVERY_SECONDS = 60.0
_HANGS = {
    Behaviour.FASTSAFETENSORS_HANG: Stage.WEIGHTS,
    Behaviour.NCCL_HANG: Stage.NCCL,
    Behaviour.HANG: Stage.WEIGHTS,
    Behaviour.SHM_STALL: Stage.PROFILE,
}
_EARLY = 0.35
"""Share of the weights that is loaded before something goes wrong with them."""
_FROZEN = 0.5
_LATE = 0.6
"""Likewise where memory is what goes wrong."""


class LoadFailedError(Exception):
    """The process is over; everything worth saying is in the log."""

    def __init__(self, cause: str, code: int = 1) -> None:
        super().__init__(cause)
        self.cause = cause
        self.code = code


class Trouble:
    """What the behaviour of its host makes of one process."""

    def __init__(self, process: "VllmProcess") -> None:
        self._process = process
        self._host = process.host

    async def at(self, stage: Stage, share: float = 1.0) -> None:
        """Come to a stage (of the weights: to a share of them); raises LoadFailedError."""
        behaviour = self._host.faults.behaviour
        if _HANGS.get(behaviour) is stage:
            await self._hang(behaviour, share)
        if behaviour is Behaviour.FREEZE_ON_LOAD and stage is Stage.WEIGHTS and share > _FROZEN:
            await self._process.hang_the_host()
        failure = LOAD_FAILURES.get(behaviour)
        if failure is not None and failure.stage is stage and share >= _when(failure):
            await self._fail(failure)

    async def say_and_die(self, error: str, cause: str, process: str = "EngineCore") -> None:
        """Write an error of the engine with its traceback; raises LoadFailedError."""
        mine, say = self._process, self._process.say
        await say(log.traceback_lines(self._named(process), mine.pid + 1, error, _CORE))
        if mine.rank == 0:
            await say(log.engine_failed_lines(mine.pid, {"EngineCore": 1}))
        raise LoadFailedError(cause)

    async def _hang(self, behaviour: Behaviour, share: float) -> None:
        if behaviour is not Behaviour.FASTSAFETENSORS_HANG and share < _EARLY:
            return
        mine = self._process
        mine.spins = behaviour is Behaviour.NCCL_HANG
        mine.hung = True
        mine.note("runtime_hangs", repo=mine.repo)
        if behaviour is not Behaviour.SHM_STALL:
            await asyncio.Event().wait()
        while True:
            await self._host.pace.sleep(_STALL_EVERY_SECONDS)
            await mine.say([log.stall_line(mine.pid + 1, int(_STALL_EVERY_SECONDS))])

    async def _fail(self, failure: LoadFailure) -> None:
        mine = self._process
        await self._host.pace.sleep(failure.waits_seconds)
        pid = mine.pid + 1
        for row in failure.kernel:
            self._host.kernel.note(row.replace("{pid}", str(pid)))
        if failure.killed:
            mine.note("kernel_oom", repo=mine.repo, victim=pid)
            mine.meter.oom_kills += 1
        if failure.error:
            text = failure.error.replace("{pid}", str(pid))
            await mine.say(self._rows(failure, text, pid))
        if failure.cores is not None and mine.rank == 0:
            await mine.say(log.engine_failed_lines(mine.pid, failure.cores))
        raise LoadFailedError(failure.cause)

    def _rows(self, failure: LoadFailure, text: str, pid: int) -> list[str]:
        if failure.process == "plain":
            return [f"{row}\n" for row in text.splitlines()]
        if failure.process == "APIServer":
            opening = [f"(APIServer pid={pid - 1}) Traceback (most recent call last):\n"]
            return opening + [f"(APIServer pid={pid - 1}) {row}\n" for row in text.splitlines()]
        return list(log.traceback_lines(self._named(failure.process), pid, text, _CORE))

    def _named(self, process: str) -> str:
        worker = process == "Worker" or self._process.rank > 0
        return f"Worker_TP{self._process.rank}" if worker else process


def _when(failure: LoadFailure) -> float:
    if failure.stage is not Stage.WEIGHTS:
        return 0.0
    return _LATE if failure.killed or failure.kernel or failure.process == "plain" else _EARLY
