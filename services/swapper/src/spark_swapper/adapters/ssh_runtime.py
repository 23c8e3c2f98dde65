"""The runtime over SSH and HTTP: every effect through the guard, every look in one round trip."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from typing import Literal

import httpx

from spark_common.errors import RemoteCommandError, StaleEpochError, UnavailableError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.port import RemoteShell
from spark_common.runtime_questions import Spoken, first_token
from spark_common.settings import ClusterSettings
from spark_swapper.adapters import vllm_http
from spark_swapper.adapters.host_checks import check_host
from spark_swapper.candidate import Candidate
from spark_swapper.runtime import Glance, HostCheck, Order, Served, StaleFenceError, Watermarks

GLANCE_BYTES = 262_144
"""Most log bytes of one glance; the rest comes with the next."""

_STOP = """
directory=$1 container=$2
shift 2
if cd "$directory" 2>/dev/null && [ -x "$1" ]; then exec "$@"; fi
exec docker stop "$container"
"""
# The second Spark of a cluster need not have the checkout; what it runs must go all the same.

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


class SshRuntime:
    """The vLLM server on real Sparks, or on simulated ones that behave like them."""

    def __init__(
        self, shell: RemoteShell, http: httpx.AsyncClient, cluster: ClusterSettings
    ) -> None:
        self._shell = shell
        self._http = http
        self._cluster = cluster
        self._by_name = {host.name: host for host in cluster.hosts}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the cluster, the first head first."""
        return tuple(self._by_name)

    def label(self, host: str) -> str:
        """Return what people call a host."""
        return self._by_name[host].label

    async def check(self, candidate: Candidate, host: str) -> HostCheck:
        """Look whether a launch could work there. Touches nothing."""
        return await check_host(
            self._shell, host, self.label(host), candidate, self._cluster.vllm_dir
        )

    async def stop(self, order: Order, candidate: Candidate, host: str) -> None:
        """Order the container away on one host; returns before it is."""
        where = (self._cluster.vllm_dir, self._cluster.vllm_container)
        argv = ("sh", "-c", _STOP, "stop", *where, *candidate.stop_argv)
        await self._guarded(host, RemoteCommand(argv=argv), order)

    async def launch(self, order: Order, candidate: Candidate) -> bool:
        """Order the launch on the head; False if this step was ordered before."""
        command = RemoteCommand(
            argv=candidate.launch_argv, env=candidate.env, cwd=self._cluster.vllm_dir
        )
        return await self._guarded(candidate.head, command, order) == "LAUNCHED"

    async def container(self, host: str) -> Glance:
        """Look for the container only."""
        return await self._look(host, "none", "none", 0, 0)

    async def glance(self, order: Order, host: str, log_offset: int) -> Glance:
        """Look at container, processes, launch script and new log bytes at once."""
        return await self._look(host, order.swap_id, order.step, log_offset, GLANCE_BYTES)

    async def steps(self, swap_id: str, host: str) -> frozenset[str]:
        """Return the steps of a swap that were started on a host."""
        recalled = await self._recall(host, swap_id)
        return frozenset(value for key, value in recalled if key == "step")

    async def watermarks(self, host: str) -> Watermarks:
        """Return the highest fence and epoch a host has seen, 0 for none."""
        recalled = dict(await self._recall(host))
        fence, epoch = recalled.get("fence", ""), recalled.get("epoch", "")
        return Watermarks(
            int(fence) if fence.isdigit() else 0, int(epoch) if epoch.isdigit() else 0
        )

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
        return f"http://{self._by_name[host].address}:{self._cluster.vllm_port}"

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

    async def _look(self, host: str, swap_id: str, step: str, offset: int, limit: int) -> Glance:
        words = (self._cluster.vllm_container, swap_id, step, str(offset), str(limit))
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
    processes = found.get("processes", "0")
    return Glance(
        container=_CONTAINER.get(state, "stopped"),
        container_id=rest if state not in ("unclear", "missing") else "",
        processes=int(processes) if processes.isdigit() else 0,
        launcher=_LAUNCHER.get(launcher, "none"),
        launcher_exit=int(code) if code.isdigit() else None,
        launcher_output=_decoded(found.get("output", "")).decode(errors="replace"),
        log=_decoded(found.get("log", "")),
        detail=rest if state == "unclear" else "",
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
