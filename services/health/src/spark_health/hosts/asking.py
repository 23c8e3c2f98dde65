"""Asks a Spark to do nothing, and knocks at its port when it is silent: off is not slow."""

import asyncio
from dataclasses import dataclass

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
from spark_common.tasks import end
from spark_health.hosts.ports import Reach
from spark_health.settings import WatchPace

_COMMAND = RemoteCommand(("true",))


@dataclass(frozen=True)
class Answer:
    """How a Spark answered: ``well``, ``hung``, ``dead``, ``refused``, or nobody can tell."""

    answering: Answering
    reason: str = ""
    ms: int = 0
    """How long it took to do nothing."""


class Asking:
    """One Spark: one round trip over SSH while it answers."""

    def __init__(
        self, shell: RemoteShell, host: HostSettings, reach: Reach, clock: Clock, pace: WatchPace
    ) -> None:
        self.host = host
        self._shell = shell
        self._reach = reach
        self._clock = clock
        self._patience = pace.health_patience_seconds
        self._silence = pace.silence_seconds

    async def ask(self) -> Answer:
        """Ask once, within the patience; raises nothing.

        A Spark that is off takes no connection, and that is known after a second: nobody waits
        for an answer over a connection whose other end is gone. One that hangs takes them.
        """
        began = self._clock.monotonic()
        running = asyncio.create_task(
            self._shell.run(self.host.name, _COMMAND, timeout_seconds=self._patience)
        )
        try:
            if not await self._within(running) and not await self._knocked(running):
                return Answer("dead", gone(self.host))
            result = await running
        except SparkError as error:
            return await self._without(error)
        finally:
            await end([running])
        if result.exit_code is None:
            return Answer("dead", f"{self.host.label} lost the connection during a command")
        return Answer("well", ms=round((self._clock.monotonic() - began) * 1000))

    async def _within(self, running: "asyncio.Task[RemoteResult]") -> bool:
        """Say whether an answer came before it got silent."""
        alarm = asyncio.create_task(self._clock.sleep(self._silence))
        try:
            await asyncio.wait((running, alarm), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        return running.done()

    async def _knocked(self, running: "asyncio.Task[RemoteResult]") -> bool:
        """Say whether it takes connections, or answered meanwhile."""
        takes = await self._reach.accepts(self.host.address, self.host.ssh_port)
        return takes or running.done()

    async def _without(self, error: SparkError) -> Answer:
        match error:
            case HostKeyChangedError():
                return Answer("refused", error.message)
            case DeadlineExceededError():
                return Answer("hung", self._hung())
            case HostUnreachableError() if "SSH_KEY_PATH" in error.message:
                return Answer("unknown", error.message)
            case HostUnreachableError() if "permission denied (publickey)" in error.message:
                return Answer("refused", error.message)
            case HostUnreachableError():
                silent = "timed out" in error.message
                if silent and await self._reach.accepts(self.host.address, self.host.ssh_port):
                    return Answer("hung", self._hung())
                return Answer("dead", error.message)
            case _:
                return Answer("unknown", error.message)

    def _hung(self) -> str:
        return (
            f"{self.host.label} hangs, or is very busy: it takes SSH connections and does not run "
            f"a command within {self._patience:g} s"
        )


def gone(host: HostSettings) -> str:
    """Return what is said of a Spark that does not even take connections."""
    return (
        f"{host.label} takes no connection any more (SSH, port {host.ssh_port}). Is it switched "
        f"on, is its cable plugged in, and is {host.name.upper()}_HOST right?"
    )
