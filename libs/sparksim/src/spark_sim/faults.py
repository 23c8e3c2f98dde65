"""The ways in which a simulated Spark can misbehave."""

import asyncio
from enum import StrEnum


class Behaviour(StrEnum):
    """What a host does until it is told otherwise."""

    OK = "ok"
    SLOW = "slow"
    """Everything takes ten times longer."""
    OFFLINE = "offline"
    """The hub cannot be reached; the other Spark and the controller can."""
    HANG = "hang"
    """Loads stop in the middle of the weights and say nothing more."""
    FLAKY = "flaky"
    """Every third load and every third SSH command fails."""
    OOM_ON_LOAD = "oom_on_load"
    """The kernel kills the engine while it loads: an empty ``{}`` is all vLLM says."""
    LOW_MEMORY = "low_memory"
    """Something else holds the memory: vLLM refuses to start with a ValueError."""
    BAD_FLAG = "bad_flag"
    """vLLM does not know one of the flags it is given, in pre-flight and launch alike."""
    UNREACHABLE = "unreachable"
    """Nothing of the host listens and every connection is cut."""
    CUDA_WEDGE = "cuda_wedge"
    """The engine dies after the first answer; the HTTP server stays and answers 500."""
    GIBBERISH = "gibberish"
    """The engine answers every prompt with the same token, as with a broken kernel."""
    CRASH_LOOP = "crash_loop"
    """The runtime dies soon after it is ready, every time."""
    DISK_FULL = "disk_full"
    """No container starts and no download finishes."""
    NO_REGISTRY = "no_registry"
    """Images cannot be pulled: the registry does not answer."""
    SSH_HANG = "ssh_hang"
    """SSH connects and then nothing answers, as on a frozen host."""
    CHANGED_HOST_KEY = "changed_host_key"
    """SSH shows another host key than before."""


class Faults:
    """The behaviour of one host, and what was counted for it."""

    def __init__(self) -> None:
        self.behaviour = Behaviour.OK
        self.changed = asyncio.Event()
        self._loads = 0
        self._commands = 0

    def turn(self, behaviour: Behaviour) -> None:
        """Switch; whoever waits for a change wakes up and the counts start again."""
        self.behaviour = behaviour
        self._loads = self._commands = 0
        previous, self.changed = self.changed, asyncio.Event()
        previous.set()

    def load_fails(self) -> bool:
        """Count a load; true when this one is to fail for being flaky."""
        self._loads += 1
        return self.behaviour is Behaviour.FLAKY and self._loads % 3 == 0

    def command_fails(self) -> bool:
        """Count an SSH command; true when this one is to fail for being flaky."""
        self._commands += 1
        return self.behaviour is Behaviour.FLAKY and self._commands % 3 == 0

    async def while_frozen(self) -> None:
        """Wait as long as the host is frozen."""
        while self.behaviour is Behaviour.SSH_HANG:
            await self.changed.wait()
