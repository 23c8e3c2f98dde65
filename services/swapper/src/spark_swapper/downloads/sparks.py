"""What a download does on the Sparks: looks, the hub's program, the copy; all through scripts."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_common.remote.detached import DetachedSteps, StepLook
from spark_common.settings import ClusterSettings, HostSettings
from spark_swapper.downloads.record import folder_of

_PACKAGE = resources.files(__package__)
_LOOK = (_PACKAGE / "look.sh").read_text()
_FETCH = (_PACKAGE / "fetch.sh").read_text()
_COPY = (_PACKAGE / "copy.sh").read_text()
LOOK_SECONDS = 20.0
ASK_SECONDS = 50.0
"""The first call of uvx installs the program."""
LOG_BYTES = 200_000


@dataclass(frozen=True)
class Measure:
    """Bytes of a repository on one Spark, and of its disk."""

    hub: str
    whole_bytes: int
    partial_bytes: int
    free_bytes: int | None

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.whole_bytes + self.partial_bytes


@dataclass(frozen=True)
class Facts:
    """What a Spark has for a download."""

    measure: Measure
    programs: frozenset[str]
    """Of uvx, hf and rsync those that are there."""
    nodes: tuple[str, ...]
    """Addresses on the fast link as the launcher's checkout knows them, the head first."""
    copy_hosts: tuple[str, ...]


class DownloadSparks:
    """The configured Sparks, by name.

    Every method raises HostUnreachableError and its kin when a Spark does not answer.
    """

    def __init__(
        self,
        shell: RemoteShell,
        cluster: Callable[[], ClusterSettings],
        token: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``token`` tells the one for the hub; it travels on standard input only."""
        self._shell = shell
        self._steps = DetachedSteps(shell)
        self._cluster = cluster
        self._hosts = {host.name: host for host in cluster().hosts}
        self._token = token

    @property
    def names(self) -> tuple[str, ...]:
        """Every host, the first head first."""
        return tuple(self._hosts)

    def label(self, host: str) -> str:
        """Return what people call a host."""
        return self._hosts[host].label if host in self._hosts else host

    async def facts(self, host: str, repo: str) -> Facts:
        """Look at the repository, the disk, the programs and the fast link."""
        words = (folder_of(repo), self._cluster().vllm_dir)
        command = RemoteCommand(("sh", "-c", _LOOK, "look", *words))
        result = await self._shell.run(host, command, timeout_seconds=LOOK_SECONDS)
        if not result.ok:
            raise _failed(self.label(host), result)
        return read_facts(result.stdout)

    async def measure(self, host: str, repo: str) -> Measure:
        """Look at the repository and the disk only."""
        command = RemoteCommand(_measuring(repo))
        result = await self._shell.run(host, command, timeout_seconds=LOOK_SECONDS)
        if not result.ok:
            raise _failed(self.label(host), result)
        return read_facts(result.stdout).measure

    async def ask_hub(self, host: str, repo: str) -> RemoteResult:
        """Return what the hub's program says about a repository without fetching anything."""
        command = self._fetching(repo, "--dry-run")
        return await self._shell.run(host, command, timeout_seconds=ASK_SECONDS)

    async def start_fetch(self, host: str, job: str, step: str, repo: str) -> None:
        """Start fetching, unless this step was started before."""
        await self._steps.start(host, job, step, self._fetching(repo))

    async def start_copy(
        self, source: str, job: str, step: str, repo: str, target: str, hub: str, facts: Facts
    ) -> None:
        """Start copying from ``source`` to the folder ``hub`` of ``target``, unless started."""
        there = self._hosts[target]
        addresses = routes(facts, there, self.names, self._hosts[source].address)
        words = (folder_of(repo), there.user, hub, *addresses)
        command = RemoteCommand(("sh", "-c", _COPY, "copy", *words))
        await self._steps.start(source, job, step, command)

    async def poll(
        self, host: str, job: str, step: str, offset: int, repo: str
    ) -> tuple[StepLook, Measure | None]:
        """Look at a step, its log and the bytes on this Spark's disk in one round trip."""
        look = await self._steps.poll(host, job, step, offset, also=_measuring(repo))
        return look, read_facts(look.also).measure if look.also else None

    async def stop(self, host: str, job: str, step: str) -> None:
        """End every process of a step; one that never ran never will."""
        await self._steps.stop(host, job, step)

    async def end_of_log(self, host: str, job: str, step: str) -> tuple[bytes, bool]:
        """Return the end of what a step wrote, and whether that is all of it."""
        script = 'f=$HOME/.spark-control/jobs/$1/$2.log; [ -e "$f" ] || exit 0; tail -c "$3" "$f"'
        words = ("sh", "-c", script, "log", job, step, str(LOG_BYTES))
        result = await self._shell.run(host, RemoteCommand(words), timeout_seconds=10.0)
        text = result.stdout.encode()
        return text, len(text) < LOG_BYTES

    def _fetching(self, repo: str, *options: str) -> RemoteCommand:
        token = self._token() or ""
        words = ("sh", "-c", _FETCH, "fetch", repo, *options)
        return RemoteCommand(words, stdin=f"{token}\n".encode())


def routes(
    facts: Facts, target: HostSettings, names: tuple[str, ...], own_address: str
) -> tuple[str, ...]:
    """Return addresses under which one Spark may reach another, the fast ones first."""
    number = names.index(target.name)
    fast = facts.nodes[number : number + 1] if len(facts.nodes) == len(names) else ()
    if len(names) == 2 and len(facts.copy_hosts) == 1 and number == 1:
        fast = (*fast, *facts.copy_hosts)
    known = dict.fromkeys((*fast, target.address))
    return tuple(address for address in known if address != own_address)


def read_facts(text: str) -> Facts:
    """Read what look.sh printed; what it did not print stays unknown."""
    rows = [line.partition(" ")[::2] for line in text.splitlines()]
    found = dict(rows)
    free = found.get("free", "")
    return Facts(
        measure=Measure(
            hub=found.get("hub", ""),
            whole_bytes=_number(found.get("whole", "")),
            partial_bytes=_number(found.get("partial", "")),
            free_bytes=int(free) if free.isdigit() else None,
        ),
        programs=frozenset(value for key, value in rows if key == "has"),
        nodes=_addresses(found.get("CLUSTER_NODES", "")),
        copy_hosts=_addresses(found.get("COPY_HOSTS", "")),
    )


def _measuring(repo: str) -> tuple[str, ...]:
    return ("sh", "-c", _LOOK, "look", folder_of(repo), "")


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part and not part.startswith("-"))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _failed(label: str, result: RemoteResult) -> RemoteCommandError:
    said = (result.stderr or result.stdout).strip()[-300:]
    return RemoteCommandError(f"{label} could not be looked at for the download: {said}")
