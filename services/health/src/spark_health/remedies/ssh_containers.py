"""Containers over SSH: one round trip each, and the decision to restart is made on the Spark."""

import math
import re
from collections.abc import Sequence
from datetime import datetime

from spark_common.errors import RemoteCommandError
from spark_common.remote.command import RemoteCommand, RemoteResult
from spark_common.remote.port import RemoteShell
from spark_health.remedies.ports import ContainerSight, Restarted

_LINES = "300"
_RESTART_SECONDS = 75.0
_LOOK_SECONDS = 15.0
_CHANGED = 76
_BUSY = 75
_LATE = 77
_LOOK = """\
docker inspect -f '{{.State.StartedAt}}|{{.State.Running}}' "$1" || exit $?
date -u +%s
"""
_RESTART = """\
mkdir -p "$HOME/.spark-control" || exit $?
exec 9> "$HOME/.spark-control/restart-$1.lock" || exit $?
flock -w 60 9 || exit 75
found=$(docker inspect -f '{{.State.StartedAt}}' "$1") || exit $?
[ "$found" = "$2" ] || exit 76
[ "$(date -u +%s)" -le "$3" ] || exit 77
docker restart "$1" > /dev/null
"""
_LOG = """\
docker inspect "$1" > /dev/null || exit $?
docker logs --since "$2" --tail "$3" "$1" 2>&1 | tail -c 200000
"""
_MISSING = re.compile(r"no such (?:object|container)", re.IGNORECASE)
_START = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")


class SshContainers:
    """``Containers`` of real Sparks. Container names are the owner's, checked by the settings."""

    def __init__(self, shell: RemoteShell) -> None:
        self._shell = shell

    async def look(self, host: str, container: str) -> ContainerSight | None:
        """Return how it is, or None when there is no such container."""
        result = await self._sh(host, _LOOK, container)
        if not result.ok:
            if _MISSING.search(result.stderr):
                return None
            raise _refused("looked at", host, result)
        lines = result.stdout.split()
        try:
            started, _, running = lines[0].partition("|")
            now = float(lines[1])
            # Whole seconds: what began within this one is no second old.
            age = max(0.0, now - _epoch(started))
        except (IndexError, ValueError) as error:
            raise RemoteCommandError(
                f"docker on {host} said something else than how {container} is"
            ) from error
        return ContainerSight(started, running == "true", age, now)

    async def restart(
        self, host: str, container: str, started_at: str, not_after: float
    ) -> Restarted:
        """Restart this one run of it."""
        last = str(math.floor(not_after))
        result = await self._sh(
            host, _RESTART, container, started_at, last, seconds=_RESTART_SECONDS
        )
        if result.exit_code == _LATE:
            return "late"
        if result.exit_code == _CHANGED:
            return "already"
        if not result.ok:
            raise _refused("restarted", host, result)
        return "restarted"

    async def recent_lines(self, host: str, container: str, seconds: float) -> Sequence[str]:
        """Return the end of its log."""
        since = f"{max(1, math.ceil(seconds))}s"
        result = await self._sh(host, _LOG, container, since, _LINES)
        return result.stdout.splitlines() if result.ok else []

    async def _sh(
        self, host: str, script: str, *words: str, seconds: float = _LOOK_SECONDS
    ) -> RemoteResult:
        command = RemoteCommand(("sh", "-s", "--", *words), stdin=script.encode())
        return await self._shell.run(host, command, timeout_seconds=seconds)


def _refused(what: str, host: str, result: RemoteResult) -> RemoteCommandError:
    said = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.exit_code}"]
    if result.exit_code == _BUSY:
        said = ["another restart of it does not end"]
    return RemoteCommandError(f"the container cannot be {what} on {host}: {said[0][:300]}")


def _epoch(text: str) -> float:
    found = _START.match(text)
    if found is None:
        raise ValueError(text)
    whole = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    return whole.timestamp() + float(found[2] or 0)
