"""The vLLM server as the swap path sees it: orders, looks and the port to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from spark_common.contracts.plans import Verdict
from spark_common.runtime_questions import Spoken
from spark_swapper.guarding.headroom import NodeMemory
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads.post_mortem import KernelWords

STOP = "stop"
LAUNCH = "launch"
CLEAR = "clear"
ROLLBACK_STOP = "rollback-stop"
ROLLBACK_LAUNCH = "rollback-launch"
ROLLBACK_CLEAR = "rollback-clear"
KILL = "kill"
ROLLBACK_KILL = "rollback-kill"
FLUSH = "flush"
"""Names of the guarded steps; each runs at most once per swap and host."""


class StaleFenceError(Exception):
    """A newer worker already acts on the cluster: this process must end at once.

    Not a SparkError: nothing that handles failures of a swap may handle this one.
    """


@dataclass(frozen=True)
class Order:
    """Who orders an effect, and for which step of which swap."""

    fence: int
    """Number of this worker's start; a Spark refuses a lower one than it has seen."""
    epoch: int
    """Number of the lease the swap runs under; refused likewise."""
    swap_id: str
    step: str


@dataclass(frozen=True)
class Watermarks:
    """What a host's guard refuses to go below."""

    fence: int
    epoch: int


@dataclass(frozen=True)
class Glance:
    """What one look at one host showed, in one round trip."""

    container: Literal["missing", "running", "stopped", "unclear"]
    """Unclear: docker did not answer; ``detail`` says what it said."""
    container_id: str = ""
    processes: int = 0
    """Processes of vLLM inside the container. Running without one is a dead runtime."""
    launcher: Literal["none", "running", "ended"] = "none"
    """The guarded launch script."""
    launcher_exit: int | None = None
    launcher_output: str = ""
    """The end of what the launch script wrote."""
    log: bytes = b""
    """The container's log from the asked offset on."""
    detail: str = ""
    read_bytes: int | None = None
    """What was read from disk so far, by the container or else by the whole host."""
    cpu_seconds: float | None = None
    """Computing time of the container so far."""
    oom_kills: int | None = None
    """Processes of the container that the kernel ended for lack of memory."""
    gpu_percent: int | None = None
    """How busy the GPU is; only of a deep look."""
    memory_available_bytes: int | None = None
    """``MemAvailable``; None: the host did not say."""
    memory_total_bytes: int | None = None
    boot_id: str = ""
    """Another one means that the host was started anew. Empty: the host did not say."""


@dataclass(frozen=True)
class Finding:
    """What one look at one host says about one thing a launch needs."""

    name: Literal["launcher", "image", "disk", "files", "port", "hosts"]
    verdict: Verdict
    sentence: str
    """In plain English, naming the Spark."""


@dataclass(frozen=True)
class HostCheck:
    """What a host says before anything is touched."""

    host: str
    findings: tuple[Finding, ...] = ()
    image_id: str | None = None
    image_created: str | None = None
    memory: NodeMemory | None = None
    """None: the host did not say."""

    @property
    def problem(self) -> str | None:
        """Why a launch there cannot work, in one plain sentence; None: nothing speaks against."""
        return next((one.sentence for one in self.findings if one.verdict == "bad"), None)

    @property
    def doubt(self) -> str | None:
        """What could not be checked."""
        return " ".join(one.sentence for one in self.findings if one.verdict == "unknown") or None


@dataclass(frozen=True)
class Served:
    """The model that answers over HTTP."""

    repo: str
    """``root`` of ``/v1/models``: the repository, whatever name clients use."""
    served_name: str
    context_length: int | None = None


class Runtime(Protocol):
    """The vLLM server on the Sparks. Hosts are names.

    Every method may raise HostUnreachableError, HostKeyChangedError or DeadlineExceededError;
    effects may raise StaleFenceError and StaleEpochError. Questions over HTTP do not raise: a
    runtime that does not answer is an answer.
    """

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the cluster, the first head first."""
        ...

    def label(self, host: str) -> str:
        """Return what people call a host: ``Spark 1``."""
        ...

    async def check(self, candidate: Candidate, host: str) -> HostCheck:
        """Look whether a launch could work there. Touches nothing."""
        ...

    async def stop(self, order: Order, candidate: Candidate, host: str) -> None:
        """Order the container away on one host, at most once per step; returns before it is."""
        ...

    async def launch(self, order: Order, candidate: Candidate) -> bool:
        """Order the launch on the head, at most once per step; False if it was ordered before."""
        ...

    async def launch_line(self, candidate: Candidate) -> str:
        """Return what ``launch`` would run, as one line for a shell on the head.

        Raises SwapFault for what the launcher there cannot do.
        """
        ...

    async def kill(self, order: Order, host: str) -> None:
        """Order the container away at once, without its ten seconds; returns before it is."""
        ...

    async def flush(self, order: Order, candidate: Candidate, host: str) -> None:
        """Order the page cache of a host to be emptied, at most once per step."""
        ...

    async def container(self, host: str, order: Order | None = None) -> Glance:
        """Look for the container and memory only, and for how a step went when asked."""
        ...

    async def glance(
        self, order: Order, host: str, log_offset: int, *, deep: bool = False
    ) -> Glance:
        """Look at container, processes, launch script and new log bytes at once.

        ``deep`` asks the GPU too, which takes a second.
        """
        ...

    async def kernel_words(self, host: str, seconds: int) -> KernelWords:
        """Return what the host's kernel noted about memory in the last seconds."""
        ...

    async def steps(self, swap_id: str, host: str) -> frozenset[str]:
        """Return the steps of a swap that were started on a host."""
        ...

    async def watermarks(self, host: str) -> Watermarks:
        """Return the highest fence and epoch a host has seen, 0 for none."""
        ...

    async def in_flight(self, host: str) -> int | None:
        """Return how many requests it works on or has waiting; None when nobody says."""
        ...

    async def served(self, host: str) -> Served | None:
        """Return the model that is up and healthy; None while none is."""
        ...

    async def answers(self, host: str, served_name: str, questions: Sequence[str]) -> list[Spoken]:
        """Return what it says to each, as far as it gets in half a minute.

        Empty when it answers none of them, as a model without chat.
        """
        ...

    async def first_token(
        self, host: str, served_name: str, *, pooling: bool = False
    ) -> str | None:
        """Ask for a token at the runtime's own port; None when it came, else why it did not."""
        ...
