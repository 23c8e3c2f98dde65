"""The log of a container: a bounded piece of it, fit to be shown."""

import re
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Final

from spark_common.contracts.services import ReadServiceLog, ServiceLog
from spark_common.errors import ConflictError, InvalidRequestError, UnavailableError
from spark_common.logs.redact import mask_secrets
from spark_common.remote import RemoteCommand, RemoteShell
from spark_health.services.service import Service

SCRIPT: Final = (resources.files(__package__) / "log.sh").read_text().encode()
MOST_BYTES: Final = 400_000
"""An answer on the bus holds a million."""
MOST_CHARACTERS: Final = 4000
"""Of one line."""
_SHELL_SECONDS: Final = 25.0
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class ServiceLogs:
    """Reads logs where the containers are."""

    def __init__(self, shell: RemoteShell, secrets: Callable[[], Sequence[str]]) -> None:
        """``secrets``: what is masked wherever it stands, beside what looks like one."""
        self._shell = shell
        self._secrets = secrets

    async def read(self, service: Service, request: ReadServiceLog) -> ServiceLog:
        """Return lines. Raises InvalidRequestError, ConflictError, UnavailableError."""
        if service.login is None or service.container is None:
            raise InvalidRequestError(
                f"{service.label} has no container on the list, so there is no log to read",
                name=service.name,
            )
        since, _, count = (request.after or "").partition("+")
        words = (service.container, str(request.tail), str(MOST_BYTES), since)
        command = RemoteCommand(("sh", "-s", "--", *words), stdin=SCRIPT)
        shell, where = service.login.shell, service.login.label
        ran = await self._shell.run(shell, command, timeout_seconds=_SHELL_SECONDS)
        said, _, code = ran.stderr.rpartition("exit ")
        if ran.exit_code == 78:
            raise ConflictError(
                f"there is no container {service.container} on {where}", name=service.name
            )
        if ran.exit_code in (None, 91) or code.strip() in ("124", "137"):
            raise UnavailableError(f"docker on {where} does not answer; try again soon")
        cut = len(ran.stdout.encode()) >= MOST_BYTES
        rows = read_rows(ran.stdout, cut=cut)
        if ran.exit_code != 0 or (code.strip() not in ("", "0") and not rows):
            first = (said.strip() or ran.stdout.strip() or "it said nothing").splitlines()[0]
            raise ConflictError(
                f"docker on {where} has no log of it: {self._shown(first)[:300]}",
                name=service.name,
            )
        since = _nine(since) if since else ""
        full = cut or len(rows) >= request.tail
        return ServiceLog(
            name=service.name,
            lines=[self._shown(line) for line in _fresh(rows, since, int(count or "0"))],
            next=_next(rows) if rows else request.after,
            skipped=bool(since) and full and (not rows or rows[0][0] > since),
        )

    def _shown(self, line: str) -> str:
        # Of a progress bar only what stands there at last.
        last = line.rstrip("\r").rpartition("\r")[2]
        text = _CONTROL.sub("", _COLOUR.sub("", last))
        for secret in self._secrets():
            text = text.replace(secret, "***")
        text = mask_secrets(text)
        return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " ..."


def read_rows(text: str, *, cut: bool = False) -> list[tuple[str, str]]:
    """Return (time, line) in the order in which they were written.

    What docker writes of standard error comes apart from standard output. ``cut``: the first
    line may be the end of one.
    """
    lines = text.split("\n")
    if cut:
        lines.pop(0)
    rows = [(_nine(found[1]), found[2]) for line in lines if (found := _LINE.match(line))]
    return sorted(rows, key=lambda row: row[0])


def _fresh(rows: list[tuple[str, str]], since: str, seen: int) -> list[str]:
    """Return the lines that were not shown: docker's "since" includes its moment."""
    found = []
    for stamp, line in rows:
        if since and (stamp < since or (stamp == since and seen > 0)):
            seen -= stamp == since
            continue
        found.append(line)
    return found


def _nine(stamp: str) -> str:
    """Return a time with nine digits of a second, so that texts compare as times do."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}Z"


def _next(rows: list[tuple[str, str]]) -> str:
    """Return where to go on: the newest time, and how many lines of it were shown."""
    newest = rows[-1][0]
    return f"{newest}+{sum(stamp == newest for stamp, _ in rows)}"
