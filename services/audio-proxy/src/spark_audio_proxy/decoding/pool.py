"""Decoding processes that are kept, and replaced when they crash, hang or are not needed."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import structlog

from spark_audio_proxy.decoding.sound import (
    RATE,
    Channels,
    Cleared,
    ClearOrder,
    DecodeOrder,
    Sound,
)
from spark_audio_proxy.metrics import DECODE_FAILURES, DECODE_SECONDS
from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_common.clock import Clock

_PATIENCE_SECONDS: Final = 60.0
"""Without a word, though it reports every thirty seconds of sound that are done."""
_MOST_ORDERS: Final = 200
_KEPT_SECONDS: Final = 60.0
"""How long a process is kept for whoever comes next: it takes 27 MB, and a quarter of a second."""
_CODES: Final[dict[str, ProblemCode]] = {
    "no_audio_stream": "no_audio_stream",
    "audio_too_long": "audio_too_long",
    "no_room": "no_room",
}
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

log = structlog.get_logger()


class DecoderPool:
    """At most ``workers`` recordings at once; the others wait in order."""

    def __init__(self, workers: int, clock: Clock) -> None:
        self._clock = clock
        self._free = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def decode(
        self,
        source: Path,
        target: Path,
        *,
        max_seconds: float,
        channels: Channels = "mono",
        param: str = "file",
    ) -> Sound:
        """Decode ``source`` into files beside ``target``; content counts, never a name.

        Raises SpeechError ``invalid_audio``, ``no_audio_stream``, ``audio_too_long``, each naming
        ``param``. A caller that is cancelled ends the process with its work.
        """
        order = DecodeOrder(str(source), str(target), max_seconds, channels)
        async with self._free:
            began = self._clock.monotonic()
            try:
                answer = await self._answer(order)
            except _BrokenError as error:
                DECODE_FAILURES.labels("crashed").inc()
                log.warning("decoding.worker_ended", reason=str(error))
                raise SpeechError(
                    "invalid_audio", "the file could not be decoded", param=param
                ) from error
        DECODE_SECONDS.observe(self._clock.monotonic() - began)
        if "error" in answer:
            DECODE_FAILURES.labels(answer["error"]).inc()
            raise _refusal(answer, param)
        return Sound.of(order, answer["done"])

    async def cleared(self, local: Sound, remote: Sound, target: Path) -> Cleared:
        """Take what ``remote`` says out of the microphone ``local``; files go beside ``target``.

        Where that fails the microphone stays as it was: an echo is no reason to refuse.
        """
        samples = round(local.seconds * RATE)
        order = ClearOrder(str(local.pcm), str(remote.pcm), str(target), samples)
        async with self._free:
            try:
                answer = await self._answer(order)
            except _BrokenError as error:
                log.warning("decoding.not_cleared", reason=str(error))
                return Cleared(local)
        return Cleared.of(local, order, answer["done"]) if "done" in answer else Cleared(local)

    async def _answer(self, order: DecodeOrder | ClearOrder) -> dict[str, Any]:
        """Have an order carried out; one that was kept may have died of something else."""
        if self._idle:
            try:
                return await self._carried_out(self._idle.pop(), order)
            except _BrokenError as error:
                log.info("decoding.again", reason=str(error))
        return await self._carried_out(await _Worker.start(), order)

    async def _carried_out(
        self, worker: "_Worker", order: DecodeOrder | ClearOrder
    ) -> dict[str, Any]:
        try:
            answer = await worker.carry_out(order)
        except BaseException:
            self._end(worker)
            raise
        if worker.orders >= _MOST_ORDERS:
            self._end(worker)
        else:
            self._keep(worker)
        return answer

    async def expect(self) -> None:
        """Have a process read its libraries while the recording is still on its way."""
        if self._idle or self._free.locked():
            return
        async with self._free:
            self._keep(await _Worker.start())

    async def run(self) -> None:
        """End the processes that nobody has needed for a while, for ever."""
        while True:
            await self._clock.sleep(_KEPT_SECONDS / 4)
            given_back = self._clock.monotonic() - _KEPT_SECONDS
            while self._idle and self._idle[0].idle_since <= given_back:
                self._end(self._idle.pop(0))

    async def close(self) -> None:
        """End the processes, and return when they are gone."""
        while self._idle:
            self._end(self._idle.pop())
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _keep(self, worker: "_Worker") -> None:
        """Whoever was kept last is taken first, so the first one has been idle longest."""
        worker.idle_since = self._clock.monotonic()
        self._idle.append(worker)

    def _end(self, worker: "_Worker") -> None:
        worker.kill()
        burial = asyncio.create_task(worker.gone())
        self._ending.add(burial)
        burial.add_done_callback(self._ending.discard)


class _BrokenError(Exception):
    """The process ended, hung or said nonsense."""


class _Worker:
    def __init__(
        self,
        process: asyncio.subprocess.Process,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout
        self.orders = 0
        self.idle_since = 0.0

    @classmethod
    async def start(cls) -> "_Worker":
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "spark_audio_proxy.decoding.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What FFmpeg says of a file is of no use, and may quote what is in it.
            stderr=asyncio.subprocess.DEVNULL,
            env=environment | _ENVIRONMENT,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        return cls(process, process.stdin, process.stdout)

    async def carry_out(self, order: DecodeOrder | ClearOrder) -> dict[str, Any]:
        self.orders += 1
        try:
            self._stdin.write(json.dumps(order.to_json()).encode() + b"\n")
            await self._stdin.drain()
            while True:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    line = await self._stdout.readline()
                if not line:
                    raise _BrokenError(f"it ended with {await self._process.wait()}")
                answer: dict[str, Any] = json.loads(line)
                if "seconds" not in answer:
                    return answer
        except TimeoutError as error:
            raise _BrokenError("it made no progress") from error
        except (OSError, ValueError) as error:
            raise _BrokenError(type(error).__name__) from error

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def gone(self) -> None:
        self._stdin.close()
        await self._process.wait()


def _refusal(answer: dict[str, Any], param: str) -> SpeechError:
    code = _CODES.get(answer["error"], "invalid_audio")
    return SpeechError(code, str(answer["message"]), param=param)
