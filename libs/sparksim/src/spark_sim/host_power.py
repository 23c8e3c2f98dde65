"""How a simulated Spark goes off and comes back: ``sudo`` rules, magic packets."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from spark_sim.call import Call
from spark_sim.faults import Behaviour
from spark_sim.journal import Journal
from spark_sim.wake_listener import woken

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

BOOT_SECONDS = 45.0
_HEAD = (
    "Matching Defaults entries for spark on {name}:\n    env_reset, mail_badpass, use_pty\n\n"
    "User spark may run the following commands on {name}:\n"
)


class HostPower:
    """One host. ``rules``: what sudo allows without a password, each a full command line."""

    def __init__(self, host: "SimulatedHost", journal: Journal) -> None:
        self.rules: tuple[str, ...] = ()
        self._host = host
        self._journal = journal
        self._turning: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Forget what was about to happen."""
        for task in self._turning:
            task.cancel()
        await asyncio.gather(*self._turning, return_exceptions=True)

    async def sudo(self, call: Call) -> int:
        """Do what a rule allows; ask for a password otherwise."""
        words = [word for word in call.argv if word != "-n"]
        if "-n" in call.argv and words == ["-l"] and self.rules:
            name = f"{self._host.name[:-1]}-{self._host.name[-1]}"
            await call.out(_HEAD.format(name=name))
            await call.out("    (root) NOPASSWD: " + ", ".join(self.rules) + "\n")
            return 0
        line = " ".join(words)
        if line in self.rules:
            again = "reboot" in line or "-r" in words
            self._journal.add(self._host.name, "power", action="reboot" if again else "shutdown")
            self._later(self._go_off(again=again))
            return 0
        if "-n" not in call.argv:
            await call.err(
                "sudo: a terminal is required to read the password; either use the -S option to "
                "read from standard input or configure an askpass helper\n"
            )
        await call.err("sudo: a password is required\n")
        return 1

    async def _go_off(self, *, again: bool) -> None:
        await self._host.pace.sleep(2)
        await self._host.turn(Behaviour.OFF)
        if again:
            await self._come_back()

    async def _come_back(self) -> None:
        await self._host.pace.sleep(BOOT_SECONDS)
        if self._host.faults.behaviour is Behaviour.OFF:
            await self._host.restart()
            await self._host.turn(Behaviour.OK)

    def packet(self, data: bytes) -> None:
        """Hear a packet on the network; only its own wakes it."""
        if not woken(data, self._host.network.cable):
            return
        off = self._host.faults.behaviour is Behaviour.OFF
        self._journal.add(self._host.name, "magic_packet", wakes=off)
        if off and not self._turning:
            self._later(self._come_back())

    def _later(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._turning.add(task)
        task.add_done_callback(self._turning.discard)
