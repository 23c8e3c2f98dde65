"""A remote command as data, and the one place where shell quoting happens."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from spark_common.errors import InvalidRequestError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class RemoteCommand:
    """An argument list, environment and standard input for a Spark.

    Nothing here is shell text: every element of ``argv`` arrives as one argument. ``cwd`` is
    absolute or relative to the remote home. Secrets go through ``stdin`` only.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | None = None
    cwd: str | None = None


@dataclass(frozen=True)
class RemoteResult:
    """How a command ended. ``exit_code`` is None when a signal or a lost connection ended it."""

    exit_code: int | None
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_code == 0


def quote(command: RemoteCommand) -> str:
    """Return the POSIX shell line that runs exactly this argument list.

    Raises InvalidRequestError for what no argument list can carry: an empty argv, a NUL byte,
    an environment name that is not a name.
    """
    if not command.argv:
        raise InvalidRequestError("a remote command needs at least one argument")
    words: list[str] = []
    for name, value in command.env.items():
        if not _NAME.match(name):
            raise InvalidRequestError("not a name for an environment variable", name=name)
        words.append(f"{name}={shlex.quote(value)}")
    words.extend(shlex.quote(argument) for argument in command.argv)
    line = " ".join(words)
    if command.env:
        line = "env " + line
    if command.cwd is not None:
        line = f"cd {shlex.quote(command.cwd)} && {line}"
    if "\0" in line:
        raise InvalidRequestError("a remote argument cannot contain a NUL byte")
    return line
