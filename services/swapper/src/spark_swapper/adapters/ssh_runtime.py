"""The runtime over SSH and HTTP: every effect through the guard, every look in one round trip."""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from typing import Literal

import httpx

from spark_common.errors import RemoteCommandError, StaleEpochError, UnavailableError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.figures import memory_bytes, whole
from spark_common.remote.port import RemoteShell
from spark_common.runtime_questions import Spoken, first_token
from spark_common.settings import ClusterSettings
from spark_swapper.adapters import vllm_http
from spark_swapper.adapters.host_checks import check_host
from spark_swapper.adapters.launcher_probe import LauncherProbe
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launcher import adapt, line_of
from spark_swapper.loads.post_mortem import KernelWords
from spark_swapper.runtime import Glance, HostCheck, Order, Served, StaleFenceError, Watermarks

GLANCE_BYTES = 262_144
"""Most log bytes of one glance; the rest comes with the next."""

_STOP = """
directory=$1 container=$2
shift 2
ended=
for note in "${SC_GUARD_DIR:-$HOME/.spark-control}"/jobs/*/*.foreground; do
  [ -e "$note" ] && [ ! -e "${note%.foreground}.exit" ] && read -r pid <"$note" || continue
  grep -q launch-cluster "/proc/$pid/cmdline" 2>/dev/null || continue
  kill -TERM "$pid" && ended="$ended $pid"
done
if [ -z "$ended" ] && cd "$directory" 2>/dev/null && [ -x "$1" ] &&
  grep -q -e '--solo)' "$1"; then exec "$@"; fi
docker stop "$container"
for pid in $ended; do
  tries=0
  while [ -d "/proc/$pid" ] && [ "$tries" -lt 120 ]; do sleep 0.5; tries=$((tries + 1)); done
done
"""
# The second Spark of a cluster need not have the checkout; what it runs must go all the same. A
# launcher in the foreground stops its containers by name when it ends: it has to end first.

_IN_FOREGROUND = 'echo $$ >"$SC_STEP.foreground" && exec "$@"'
"""Notes the launcher's process for the looks and for the stop; guard.sh sets SC_STEP."""

_CONTAINER: dict[str, Literal["missing", "running", "stopped", "unclear"]] = {
    "missing": "missing",
    "running": "running",
    "unclear": "unclear",
}
_LAUNCHER: dict[str, Literal["none", "running", "ended"]] = {
    "running": "running",
    "ended": "ended",
}

_PACKAGE = resources.files(__package__)
GUARD = (_PACKAGE / "guard.sh").read_text()
_GLANCE = (_PACKAGE / "glance.sh").read_text()
_RECALL = (_PACKAGE / "recall.sh").read_text()
_KERNEL = (_PACKAGE / "kernel.sh").read_text()
FLUSH_SCRIPT = (_PACKAGE / "flush.sh").read_text()
_HUB = ".cache/huggingface/hub"


class SshRuntime:
    """The vLLM server on real Sparks, or on simulated ones that behave like them."""

    def __init__(
        self,
        shell: RemoteShell,
        http: httpx.AsyncClient,
        cluster: Callable[[], ClusterSettings],
        launchers: LauncherProbe | None = None,
    ) -> None:
        """``cluster``: the Sparks, always the same ones, and the runtime on them as it is now."""
        self._shell = shell
        self._http = http
        self._cluster = cluster
        self._launchers = launchers or LauncherProbe(shell, lambda: cluster().vllm_dir)
        self._by_name = {host.name: host for host in cluster().hosts}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the cluster, the first head first."""
        return tuple(self._by_name)

    def label(self, host: str) -> str:
        """Return what people call a host."""
        return self._by_name[host].label

    async def check(self, candidate: Candidate, host: str) -> HostCheck:
        """Look whether a launch could work there. Touches nothing."""
        return await check_host(self._shell, host, self.label(host), candidate, self._cluster())

    async def stop(self, order: Order, candidate: Candidate, host: str) -> None:
        """Order the container away on one host; returns before it is."""
        where = (self._cluster().vllm_dir, self._cluster().vllm_container)
        argv = ("sh", "-c", _STOP, "stop", *where, *candidate.stop_argv)
        await self._guarded(host, RemoteCommand(argv=argv), order)

    async def launch(self, order: Order, candidate: Candidate) -> bool:
        """Order the launch on the head; False if this step was ordered before."""
        features = await self._launchers.features(candidate.head)
        told = adapt(candidate, features)
        noted = ("sh", "-c", _IN_FOREGROUND, "foreground") if told.foreground else ()
        command = RemoteCommand(
            argv=(*noted, *told.argv), env=told.env, cwd=self._cluster().vllm_dir
        )
        return await self._guarded(candidate.head, command, order) == "LAUNCHED"

    async def launch_line(self, candidate: Candidate) -> str:
        """Return what ``launch`` would run, as one line for a shell on the head."""
        features = await self._launchers.features(candidate.head)
        return line_of(adapt(candidate, features))

    async def kill(self, order: Order, host: str) -> None:
        """Order the container away at once; returns before it is."""
        argv = ("docker", "kill", self._cluster().vllm_container)
        await self._guarded(host, RemoteCommand(argv=argv), order)

    async def flush(self, order: Order, candidate: Candidate, host: str) -> None:
        """Order the page cache of a host to be emptied; returns before it is."""
        words = (self._cluster().vllm_container, candidate.image, _HUB)
        command = RemoteCommand(argv=("sh", "-c", FLUSH_SCRIPT, "flush", *words))
        await self._guarded(host, command, order)

    async def container(self, host: str, order: Order | None = None) -> Glance:
        """Look for the container and memory only, and for how a step went when asked."""
        job = (order.swap_id, order.step) if order is not None else ("none", "none")
        return await self._look(host, *job, 0, 0, deep=False)

    async def glance(
        self, order: Order, host: str, log_offset: int, *, deep: bool = False
    ) -> Glance:
        """Look at container, processes, launch script and new log bytes at once."""
        return await self._look(
            host, order.swap_id, order.step, log_offset, GLANCE_BYTES, deep=deep
        )

    async def kernel_words(self, host: str, seconds: int) -> KernelWords:
        """Return what the host's kernel noted about memory in the last seconds."""
        command = RemoteCommand(argv=("sh", "-c", _KERNEL, "kernel", str(seconds)))
        result = await self._shell.run(host, command, timeout_seconds=30.0)
        if not result.ok:
            raise _failed(self.label(host), result)
        pairs = list(_pairs(result.stdout))
        return KernelWords(
            readable=("readable", "yes") in pairs,
            lines=tuple(value for key, value in pairs if key == "line"),
        )

    async def steps(self, swap_id: str, host: str) -> frozenset[str]:
        """Return the steps of a swap that were started on a host."""
        recalled = await self._recall(host, swap_id)
        return frozenset(value for key, value in recalled if key == "step")

    async def watermarks(self, host: str) -> Watermarks:
        """Return the highest fence and epoch a host has seen, 0 for none."""
        recalled = dict(await self._recall(host))
        return Watermarks(whole(recalled.get("fence")) or 0, whole(recalled.get("epoch")) or 0)

    async def in_flight(self, host: str) -> int | None:
        """Return how many requests it works on or has waiting; None when nobody says."""
        return await vllm_http.in_flight(self._http, self._url(host))

    async def served(self, host: str) -> Served | None:
        """Return the model that is up and healthy; None while none is."""
        return await vllm_http.served(self._http, self._url(host))

    async def answers(self, host: str, served_name: str, questions: Sequence[str]) -> list[Spoken]:
        """Return what it says to each; empty when it answers none of them."""
        return await vllm_http.answers(self._http, self._url(host), served_name, questions)

    async def first_token(
        self, host: str, served_name: str, *, pooling: bool = False
    ) -> str | None:
        """Ask for a token; None when it came, else why it did not."""
        return await first_token(self._http, self._url(host), served_name, pooling=pooling)

    def _url(self, host: str) -> str:
        return f"http://{self._by_name[host].address}:{self._cluster().vllm_port}"

    async def _guarded(self, host: str, command: RemoteCommand, order: Order) -> str:
        who = (str(order.fence), str(order.epoch), order.swap_id, order.step, "--")
        guarded = replace(command, argv=("sh", "-c", GUARD, "guard", *who, *command.argv))
        result = await self._shell.run(host, guarded, timeout_seconds=20.0)
        said = result.stdout.strip()
        if result.exit_code == 76 and said.startswith("STALE epoch"):
            raise StaleEpochError(
                f"{self.label(host)} already follows a newer reservation ({said})", host=host
            )
        if result.exit_code == 76:
            raise StaleFenceError(said)
        if result.exit_code in (None, 75):
            raise UnavailableError(f"{self.label(host)} could not take the order just now")
        if not result.ok:
            raise _failed(self.label(host), result)
        return said

    async def _look(
        self, host: str, swap_id: str, step: str, offset: int, limit: int, *, deep: bool
    ) -> Glance:
        numbers = (str(offset), str(limit), "1" if deep else "0")
        words = (self._cluster().vllm_container, swap_id, step, *numbers)
        command = RemoteCommand(argv=("sh", "-c", _GLANCE, "glance", *words))
        result = await self._shell.run(host, command, timeout_seconds=30.0)
        if not result.ok:
            raise _failed(self.label(host), result)
        return parse_glance(result.stdout)

    async def _recall(self, host: str, *job: str) -> list[tuple[str, str]]:
        command = RemoteCommand(argv=("sh", "-c", _RECALL, "recall", *job))
        result = await self._shell.run(host, command, timeout_seconds=10.0)
        if not result.ok:
            raise _failed(self.label(host), result)
        return list(_pairs(result.stdout))


def parse_glance(text: str) -> Glance:
    """Read what glance.sh printed; what it did not print stays unknown."""
    found = dict(_pairs(text))
    state, _, rest = found.get("container", "unclear").partition(" ")
    launcher, _, code = found.get("launcher", "none").partition(" ")
    container = _CONTAINER.get(state, "stopped")
    if container == "missing" and "foreground" in found:
        # Its launcher is still at work and will stop, by name, whatever stands there next.
        container, rest = "stopped", ""
    cpu = whole(found.get("cpu"))
    available, total = memory_bytes(found.get("memory", "").split())
    return Glance(
        container=container,
        container_id=rest if state not in ("unclear", "missing") else "",
        processes=whole(found.get("processes")) or 0,
        launcher=_LAUNCHER.get(launcher, "none"),
        launcher_exit=whole(code),
        launcher_output=_decoded(found.get("output", "")).decode(errors="replace"),
        log=_decoded(found.get("log", "")),
        detail=rest if state == "unclear" else "",
        read_bytes=whole(found.get("read", "").rpartition(" ")[2]),
        cpu_seconds=None if cpu is None else cpu / 1e6,
        oom_kills=whole(found.get("oomkills")),
        gpu_percent=whole(found.get("gpu")),
        memory_available_bytes=available,
        memory_total_bytes=total,
        boot_id=found.get("boot", ""),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        yield key, value.strip()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _failed(label: str, result: RemoteResult) -> RemoteCommandError:
    said = (result.stderr or result.stdout).strip()[-500:]
    return RemoteCommandError(
        f"a command on {label} ended with exit code {result.exit_code}: {said}"
    )
