"""Long work on a Spark that needs nobody to stay: started once, looked at, ended."""

import base64
import binascii
from dataclasses import dataclass, replace
from importlib import resources
from typing import Literal

from spark_common.errors import RemoteCommandError, UnavailableError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.port import RemoteShell

LOG_BYTES = 65_536
"""Most log bytes of one look; the rest comes with the next."""
GRACE_SECONDS = 5
"""Between asking a step to end and ending it."""

DETACHED = (resources.files(__package__) / "detached.sh").read_text()
_NOT_NOW = 75
_STATES: dict[str, Literal["none", "running", "ended", "lost"]] = {
    "none": "none",
    "running": "running",
    "ended": "ended",
    "lost": "lost",
}


@dataclass(frozen=True)
class StepLook:
    """One look at a step.

    ``none``: it was never started; ``lost``: it was, nothing of it lives, and it left no exit
    code, as after a reboot.
    """

    state: Literal["none", "running", "ended", "lost"]
    exit_code: int | None
    log: bytes
    """What it wrote since the offset that was asked for, at most LOG_BYTES."""
    next_offset: int
    """Ask from here next time."""
    also: str | None = None
    """Standard output of the command that was run beside the look; None when it failed."""


class DetachedSteps:
    """Runs steps of jobs on hosts; job and step are names, a step of a job runs at most once.

    Every method raises HostUnreachableError and its kin when the host does not answer,
    UnavailableError when it could not take the order just now: ask again, nothing is done twice.
    """

    def __init__(self, shell: RemoteShell) -> None:
        self._shell = shell

    async def start(self, host: str, job: str, step: str, command: RemoteCommand) -> bool:
        """Start a step; False when it was started before.

        ``command.stdin`` (text without NUL, at most 64 KiB) is the place for secrets: the
        command reads it from a pipe, and nothing writes it anywhere.
        """
        said = await self._order(host, command, "start", job, step, "--", *command.argv)
        return said == "LAUNCHED"

    async def poll(
        self,
        host: str,
        job: str,
        step: str,
        log_offset: int = 0,
        *,
        also: tuple[str, ...] = (),
        log_limit: int = LOG_BYTES,
    ) -> StepLook:
        """Look at a step, its new log bytes and the output of ``also`` in one round trip."""
        words = (str(log_offset), str(log_limit), *also)
        said = await self._order(host, RemoteCommand(("sh",)), "poll", job, step, *words)
        return read_look(said, log_offset)

    async def stop(
        self, host: str, job: str, step: str, *, grace_seconds: int = GRACE_SECONDS
    ) -> Literal["stopped", "ended", "never"]:
        """End every process of a step; a step that never ran never will.

        Its exit code is 143 when it went by itself, 137 when it had to be killed.
        """
        words = ("stop", job, step, str(grace_seconds))
        said = await self._order(host, RemoteCommand(("sh",)), *words)
        answers: dict[str, Literal["stopped", "ended", "never"]] = {
            "STOPPED": "stopped",
            "NEVER": "never",
        }
        return answers.get(said, "ended")

    async def _order(self, host: str, command: RemoteCommand, *words: str) -> str:
        order = replace(command, argv=("sh", "-c", DETACHED, "detached", *words))
        result = await self._shell.run(host, order, timeout_seconds=45.0)
        if result.exit_code in (None, _NOT_NOW):
            raise UnavailableError(f"{host} could not take the order just now", host=host)
        if not result.ok:
            raise _failed(host, result)
        return result.stdout.strip()


def read_look(text: str, log_offset: int) -> StepLook:
    """Read what a poll printed; what it did not print stays unknown."""
    found = {key: rest for key, _, rest in (line.partition(" ") for line in text.splitlines())}
    state, _, code = found.get("state", "").partition(" ")
    log = _decoded(found.get("log", "")) or b""
    also_code, _, also = found.get("also", "").partition(" ")
    if state not in _STATES:
        raise RemoteCommandError(f"the look at a step was answered with {text[:200]!r}")
    said = _decoded(also)
    return StepLook(
        state=_STATES[state],
        exit_code=int(code) if code.isdigit() else None,
        log=log,
        next_offset=log_offset + len(log),
        also=said.decode(errors="replace") if also_code == "0" and said is not None else None,
    )


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def _failed(host: str, result: RemoteResult) -> RemoteCommandError:
    said = (result.stderr or result.stdout).strip()[-500:]
    return RemoteCommandError(
        f"a step on {host} could not be ordered (exit code {result.exit_code}): {said}", host=host
    )
