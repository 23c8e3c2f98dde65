"""Two Sparks as folders: orders run the real guard in a real shell, a container is a file."""

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spark_common.errors import DeadlineExceededError
from spark_common.remote.command import RemoteCommand, RemoteResult, quote
from spark_common.runtime_questions import Spoken
from spark_common.settings import ClusterSettings, HostSettings
from spark_swapper.adapters.ssh_runtime import GUARD, SshRuntime
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads.post_mortem import KernelWords
from spark_swapper.runtime import Finding, Glance, HostCheck, Order, Served
from spark_swapper.testing import a_candidate

HOSTS = ("spark1", "spark2")
BROKEN, UNFIT, UNKNOWN = "broken", "unfit", "unheard-of"
MODELS = {
    candidate.key: candidate
    for candidate in (
        a_candidate("amber"),
        a_candidate("birch"),
        a_candidate("cedar", hosts=("spark2",)),
        a_candidate("dune"),
        a_candidate("ember", hosts=("spark2",)),
        a_candidate(BROKEN),
        a_candidate(UNFIT),
    )
}
_PROGRAMS = Path(__file__).with_name("programs")
_PYTHON = Path(sys.executable).parent
_LOAD_SECONDS = 0.05
_LAST_WORDS = b"(EngineCore pid=7) ERROR torch.OutOfMemoryError: CUDA out of memory.\n"


@dataclass(frozen=True)
class Effect:
    """One line of the journal."""

    kind: str
    """``launch``, ``stop``, or ``collision``: a launch while a container was there."""
    swap_id: str
    step: str
    host: str


class Sandbox:
    """The folders of both Sparks and the journal beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = root / "journal"

    def create(self) -> None:
        """Make the home folders with the launcher in them."""
        for host in HOSTS:
            checkout = self.home(host) / "spark-vllm-docker"
            checkout.mkdir(parents=True)
            shutil.copy(Path(__file__).with_name("launch-cluster.sh"), checkout)
            local = self.home(host) / ".local" / "bin"
            local.mkdir(parents=True)
            shutil.copy(_PROGRAMS / "uvx", local)
        self.journal.touch()

    def home(self, host: str) -> Path:
        """Return the home folder of the Spark's user."""
        return self.root / "hosts" / host

    def effects(self) -> list[Effect]:
        """Return everything that was ever done to the Sparks, in order."""
        return [Effect(*line.split()[:4]) for line in self.journal.read_text().splitlines()]

    def launches(self) -> int:
        """Return how many models were started so far, whichever way."""
        return sum(effect.kind == "launch" for effect in self.effects())

    def swaps(self) -> int:
        """Return how many swaps have had an effect so far."""
        return len({effect.swap_id for effect in self.effects()})

    def serving(self, host: str) -> Candidate | None:
        """Return the model whose container is on a host, loading or not."""
        try:
            repo = (self.home(host) / "container").read_text().strip()
        except FileNotFoundError:
            return None
        return next((one for one in MODELS.values() if one.repo == repo), None)


class LocalShell:
    """Runs the quoted line a Spark would get. It outlives us, as a session on a Spark does.

    ``guarded=False`` is for negative controls: every order is carried out, whoever gives it and
    however often.
    """

    def __init__(self, sandbox: Sandbox, *, guarded: bool = True) -> None:
        self._sandbox = sandbox
        self._guarded = guarded

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run to the end in the host's home folder."""
        home = self._sandbox.home(host)
        if not self._guarded and GUARD in command.argv:
            command = _unguarded(command, home)
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            quote(command),
            cwd=home,
            env={"HOME": str(home), "PATH": f"{_PROGRAMS}:{_PYTHON}:/usr/bin:/bin"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                out, err = await process.communicate(command.stdin or b"")
        except TimeoutError:
            raise DeadlineExceededError(f"{host} did not finish in time") from None
        code = process.returncode if (process.returncode or 0) >= 0 else None
        return RemoteResult(code, out.decode(), err.decode())

    async def home(self, host: str) -> str:
        """Return the home folder."""
        return str(self._sandbox.home(host))


def _unguarded(command: RemoteCommand, home: Path) -> RemoteCommand:
    job, step = command.argv[6:8]
    log = home / ".spark-control" / "jobs" / job / f"{step}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    told = command.argv[command.argv.index("--") + 1 :]
    line = 'log=$1; shift; "$@" >"$log" 2>&1; echo LAUNCHED'
    argv = ("sh", "-c", line, "plain", str(log), *told)
    return RemoteCommand(argv, command.env, None, command.cwd)


class SandboxRuntime(SshRuntime):
    """Orders and what the guards remember go through the real adapter; looks read the folders."""

    def __init__(self, sandbox: Sandbox, shell: LocalShell) -> None:
        unused = sandbox.root / "unused"
        hosts = tuple(
            HostSettings(name=name, label=name.capitalize(), address="127.0.0.1", user="spark")
            for name in HOSTS
        )
        cluster = ClusterSettings(hosts=hosts, ssh_key_path=unused, known_hosts_path=unused)
        super().__init__(shell, None, lambda: cluster)  # type: ignore[arg-type]  # no HTTP
        self._sandbox = sandbox

    async def check(self, candidate: Candidate, host: str) -> HostCheck:
        """Find nothing wrong, but with the one model that never fits."""
        lacking = Finding("image", "bad", "There is no image for it.")
        return HostCheck(host, (lacking,) if candidate.key == UNFIT else ())

    async def container(self, host: str, order: Order | None = None) -> Glance:
        """Look for the container."""
        if self._sandbox.serving(host) is None:
            return Glance("missing")
        return Glance("running", "1", processes=1)

    async def glance(
        self, order: Order, host: str, log_offset: int, *, deep: bool = False
    ) -> Glance:
        """Look at container, launcher and log."""
        base = self._sandbox.home(host) / ".spark-control" / "jobs" / order.swap_id / order.step
        ended = base.with_suffix(".exit").exists()
        launcher = "ended" if ended else "running" if base.exists() else "none"
        there = self._sandbox.serving(host)
        if there is None:
            return Glance("missing", launcher=launcher)  # type: ignore[arg-type]
        if there.key == BROKEN:
            log = _LAST_WORDS[log_offset:]
            return Glance("running", "1", 0, launcher, 0, log=log)  # type: ignore[arg-type]
        return Glance("running", "1", 1, launcher)  # type: ignore[arg-type]

    async def kernel_words(self, host: str, seconds: int) -> KernelWords:
        """Nothing was noted."""
        return KernelWords(readable=True)

    async def in_flight(self, host: str) -> int | None:
        """Nobody chats here."""
        return 0

    async def served(self, host: str) -> Served | None:
        """Return the model once it had its time to load."""
        there = self._sandbox.serving(host)
        if there is None or there.key == BROKEN:
            return None
        try:
            born = (self._sandbox.home(host) / "container").stat().st_mtime
        except FileNotFoundError:
            return None
        if time.time() - born < _LOAD_SECONDS:
            return None
        return Served(there.repo, there.served_name, 4096)

    async def answers(self, host: str, served_name: str, questions: Sequence[str]) -> list[Spoken]:
        """Talk sense."""
        return [Spoken("Paris, 12", whole=True) for _ in questions]

    async def first_token(
        self, host: str, served_name: str, *, pooling: bool = False
    ) -> str | None:
        """Have a token of what serves now."""
        now = await self.served(host)
        return None if now is not None and now.served_name == served_name else "no such model"
