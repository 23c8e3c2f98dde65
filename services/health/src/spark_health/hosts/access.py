"""Whether we get into a Spark: our public key, and a login made anew, step by step."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.access import (
    GET_ACCESS,
    TRY_ACCESS,
    Access,
    AccessStep,
    AccessTest,
    GetAccess,
    HostAccess,
    TryAccess,
)
from spark_common.errors import HostKeyChangedError, NotFoundError, SparkError, UnavailableError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.port import RemoteShell
from spark_common.remote.ssh.own_key import OwnKey
from spark_common.settings import HostSettings, HostsSettings
from spark_health.hosts.ports import Reach

FreshShell: TypeAlias = Callable[[], AbstractAsyncContextManager[RemoteShell]]
"""A shell without memory: it logs in anew, with the key as it is now."""

_SECONDS = 12.0
_SCRIPT = b"""
if timeout 5 docker ps >/dev/null 2>&1; then echo docker yes
elif command -v docker >/dev/null 2>&1; then echo docker refused
else echo docker missing; fi
if command -v nvidia-smi >/dev/null 2>&1; then echo gpu yes; else echo gpu missing; fi
if [ -d "$1" ]; then echo launcher yes; else echo launcher missing; fi
"""


def authorize_command(key: OwnKey) -> str:
    """What adds the key to the account of whoever pastes it; once, however often it is pasted."""
    line = shlex.quote(key.line)
    return (
        f"umask 077; mkdir -p ~/.ssh; grep -qxF {line} ~/.ssh/authorized_keys 2>/dev/null"
        f" || printf '\\n%s\\n' {line} >> ~/.ssh/authorized_keys"
    )


class AccessVerbs:
    """One method per verb."""

    def __init__(
        self,
        cluster: HostsSettings,
        own_key: Callable[[], OwnKey],
        shell: FreshShell,
        reach: Reach,
        clock: Clock,
    ) -> None:
        """``own_key`` reads it anew; raises UnavailableError."""
        self._cluster = cluster
        self._own_key = own_key
        self._shell = shell
        self._reach = reach
        self._clock = clock

    def verbs(self) -> tuple[Serving, ...]:
        """Return every verb with its function."""
        return (Serving(GET_ACCESS, self.access), Serving(TRY_ACCESS, self.attempt))

    async def access(self, _request: GetAccess) -> Access:
        """Return our public key, and where it belongs."""
        hosts = [
            HostAccess(
                name=host.name,
                label=host.label,
                address=host.address,
                user=host.user,
                ssh_port=host.ssh_port,
            )
            for host in self._cluster.hosts
        ]
        try:
            key = self._own_key()
        except UnavailableError as error:
            return Access(problem=error.message, hosts=hosts)
        return Access(
            public_key=key.line,
            fingerprint=key.fingerprint,
            command=authorize_command(key),
            hosts=hosts,
        )

    async def attempt(self, request: TryAccess) -> AccessTest:
        """Log in and look around; raises NotFoundError for a Spark there is not."""
        found = [host for host in self._cluster.hosts if host.name == request.name]
        if not found:
            raise NotFoundError(f"no Spark is named {request.name!r}")
        began = self._clock.monotonic()
        steps = await self._steps(found[0])
        return AccessTest(
            name=found[0].name,
            label=found[0].label,
            ok=any(step.step == "login" and step.ok for step in steps),
            steps=steps,
            seconds=round(self._clock.monotonic() - began, 2),
            at=self._clock.now(),
        )

    async def _steps(self, host: HostSettings) -> list[AccessStep]:
        if not await self._reach.accepts(host.address, host.ssh_port):
            return [_silent(host)]
        steps = [
            AccessStep(step="network", ok=True, sentence=f"{host.label} takes SSH connections.")
        ]
        command = RemoteCommand(("sh", "-s", self._cluster.vllm_dir), stdin=_SCRIPT)
        try:
            async with self._shell() as shell:
                result = await shell.run(host.name, command, timeout_seconds=_SECONDS)
        except SparkError as error:
            return [*steps, self._refused(host, error)]
        sentence = f"{host.label} lets us in as {host.user}."
        steps.append(AccessStep(step="login", ok=True, sentence=sentence))
        return [*steps, *_around(host, self._cluster.vllm_dir, result)]

    def _refused(self, host: HostSettings, error: SparkError) -> AccessStep:
        sentence, action = error.message, "Do what it says, then test again."
        if isinstance(error, HostKeyChangedError):
            action = "If it is really your Spark, forget the old key as it says, then test again."
        elif "permission denied" in error.message:
            sentence = f"{host.label} does not know our key for the user {host.user}."
            action = (
                f"Log in there as {host.user}, paste the command, then test again. Is the user "
                f"another one, correct {host.name.upper()}_USER."
            )
        return AccessStep(step="login", ok=False, sentence=sentence, action=action)


def _silent(host: HostSettings) -> AccessStep:
    number = host.name.upper()
    return AccessStep(
        step="network",
        ok=False,
        sentence=f"Nothing takes SSH connections at {host.address}, port {host.ssh_port}.",
        action=f"Is {host.label} switched on and on this network? Is {number}_HOST its address, "
        "and does its SSH server run?",
    )


def _around(host: HostSettings, launcher: str, result: RemoteResult) -> Iterator[AccessStep]:
    said = dict(line.split(" ", 1) for line in result.stdout.splitlines() if " " in line)
    docker = said.get("docker", "missing")
    missing = f"Docker is not installed on {host.label}."
    refused = f"{host.user} may not use Docker on {host.label}."
    group = f"Let an administrator of it run: sudo usermod -aG docker {host.user}"
    yield AccessStep(
        step="docker",
        ok=docker == "yes",
        sentence="Docker works there."
        if docker == "yes"
        else (refused if docker == "refused" else missing),
        action="" if docker == "yes" else group if docker == "refused" else "Install it there.",
    )
    gpu = said.get("gpu") == "yes"
    yield AccessStep(
        step="gpu",
        ok=gpu,
        sentence="The driver of the GPU is there." if gpu else "nvidia-smi is not there.",
        action="" if gpu else "Install NVIDIA's driver there; DGX OS brings it.",
    )
    there = said.get("launcher") == "yes"
    yield AccessStep(
        step="launcher",
        ok=there,
        sentence="The launcher of vLLM is there."
        if there
        else f"The launcher of vLLM is not there: no folder {launcher}.",
        action="" if there else f"Clone it there into {launcher}, or set VLLM_DIR.",
    )
