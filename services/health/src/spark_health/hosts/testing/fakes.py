"""Two Sparks that answer as they are told, and packets that nobody sends."""

from collections.abc import Callable, Sequence

from spark_common.errors import HostUnreachableError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.settings import HostSettings
from spark_common.testing import FakeClock
from spark_health.hosts.looking import HardwareWatch, LookTimes
from spark_health.hosts.sight import Sight
from spark_health.testing.spark_says import MARK, answer

ONE = HostSettings(name="spark1", label="Spark 1", address="127.0.1.72", user="alice")
TWO = HostSettings(name="spark2", label="Spark 2", address="127.0.1.73", user="alice")
MAC = "02:00:5e:10:00:01"
GONE = HostUnreachableError("Spark 1 does not answer over SSH: connection timed out. Is it on?")


class QuietShell:
    """A shell that answers as it is told, by the first word of the command."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.says: dict[tuple[str, str], str | RemoteResult | Exception] = {}
        self.took = 0.0
        self.asked: list[tuple[str, RemoteCommand]] = []

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Answer, or raise what it is told to."""
        self.asked.append((host, command))
        if self.took:
            await self.clock.advance(self.took)
        said = self.says.get((host, command.argv[0]), answer())
        if isinstance(said, Exception):
            raise said
        if isinstance(said, RemoteResult):
            return said
        mark = command.argv[2] if command.argv[:2] == ("sh", "-s") else MARK
        if command.argv[4:] == ("quick",) and f"{MARK} disk" in said:
            said = said[: said.index(f"{MARK} disk")] + f"{MARK} end 0\n"
        return RemoteResult(0, said.replace(MARK, mark), "")

    async def home(self, host: str) -> str:
        """Return some folder."""
        return "/home/alice"


class Reaching:
    """Whether something takes connections."""

    def __init__(self, *, accepts: bool) -> None:
        self._accepts = accepts

    async def accepts(self, address: str, port: int) -> bool:
        """Say what was told."""
        return self._accepts


class Packets:
    """Packets of this machine."""

    def __init__(self, *, works: bool = True) -> None:
        self.sent: list[tuple[str, Sequence[str]]] = []
        self._works = works

    async def send(self, mac: str, addresses: Sequence[str]) -> bool:
        """Note it."""
        self.sent.append((mac, addresses))
        return self._works


def _nothing(_: Sight) -> None:
    """Take no reading."""


def watch_of(
    shell: QuietShell, *, accepts: bool = False, told: Callable[[Sight], None] = _nothing
) -> HardwareWatch:
    """Return what looks at both Sparks."""
    reach = Reaching(accepts=accepts)
    return HardwareWatch(shell, (ONE, TWO), reach, shell.clock, LookTimes(), told)
