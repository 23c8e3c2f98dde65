"""How the Hugging Face cache is laid out: folders, names, links, locks. Runs on a Spark.

Standard library only. Two layouts: files in ``models--*/blobs``, and (huggingface_hub 1.32 and
later) links from there into the store ``hub/blobs/<xx>/<hash>``, which repositories share.
"""

from __future__ import annotations

import errno
import fcntl
import os
import posixpath
import re
import stat

REPO_DIRECTORY = re.compile(r"models--[A-Za-z0-9._-]+\Z")
LEFTOVER = re.compile(r"\.deleting-(models--[A-Za-z0-9._-]+)\Z")
"""What a deletion renames a folder to, before it removes it."""
PARTIAL = ".incomplete"
"""End of both old (``<etag>.incomplete``) and new (``<etag>.<8 hex>.incomplete``) names."""
ALIVE_SECONDS = 120
"""A partial file that was written to this recently belongs to a running download."""
STORE = "blobs"
_STORED = re.compile(r"blobs/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+\Z")


def hub() -> str:
    """Return the folder of the cache, by the rules of huggingface_hub and the launcher."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return os.path.expanduser(cache)
    home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    return os.path.join(os.path.expanduser(home), "hub")


def read_bytes(path: str, most: int) -> bytes:
    """Return the beginning of a regular file; never waits for what only looks like one.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        return stream.read(most)


def valid(text: str) -> str:
    """Return valid text, whatever bytes a disk has for it, or halves of letters a file of JSON."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def shown(text: str) -> str:
    """Return a name as valid text of at most 200 letters."""
    return valid(text)[:200]


def is_fresh(written: float, now: float) -> bool:
    """Say whether somebody wrote just now; a time to come is of a clock that was wrong."""
    return abs(now - written) < ALIVE_SECONDS


def repo_of(directory: str) -> str | None:
    """Return ``owner/name`` of a folder of the hub; None for what no repository is called."""
    if not REPO_DIRECTORY.match(directory):
        return None
    parts = directory[len("models--") :].split("--", 1)
    if any(part in ("", ".", "..") or part.startswith("-") for part in parts):
        return None
    return "/".join(parts)


def repositories(folder: str) -> list[str]:
    """Return the names of the repository folders, sorted; links and files are none of them."""
    with os.scandir(folder) as entries:
        found = [
            entry.name
            for entry in entries
            if repo_of(entry.name) is not None and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(found)


def leftovers(folder: str) -> list[str]:
    """Return what interrupted deletions left behind."""
    with os.scandir(folder) as entries:
        found = [
            entry.name
            for entry in entries
            if LEFTOVER.match(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(found)


def stored_at(link: str, folder: str) -> str | None:
    """Return where in the store a link of ``folder/models--*/blobs`` leads: ``blobs/xx/hash``.

    One hop only; None for every link that leads anywhere else.
    """
    try:
        target = os.readlink(link)
    except OSError:
        return None
    if target.startswith("../../") and _STORED.match(target[6:]):
        # As huggingface_hub writes it.
        return target[6:]
    place = posixpath.normpath(posixpath.join(posixpath.dirname(link), target))
    inside = place[len(folder) + 1 :] if place.startswith(folder + "/") else ""
    return inside if _STORED.match(inside) else None


def is_locked(folder: str, directory: str) -> bool:
    """Say whether a download holds a lock of a repository. Lock files stay when it is over."""
    try:
        with os.scandir(os.path.join(folder, ".locks", directory)) as entries:
            locks = [entry.path for entry in entries if entry.name.endswith(".lock")]
    except OSError:
        return False
    return any(_is_held(path) for path in locks)


def _is_held(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


class Rights:
    """What the user of this process may do, judged from a stat without asking again."""

    def __init__(self) -> None:
        self.uid = os.geteuid()
        self._groups = {os.getegid(), *os.getgroups()}

    def may_read(self, found: os.stat_result) -> bool:
        """Say whether a file can be read."""
        return self._may(found, 4)

    def may_empty(self, found: os.stat_result) -> bool:
        """Say whether entries of a folder can be removed."""
        return self._may(found, 3)

    def is_roots(self, found: os.stat_result) -> bool:
        """Say whether something belongs to root and we are somebody else."""
        return self.uid != 0 and found.st_uid == 0

    def _may(self, found: os.stat_result, bits: int) -> bool:
        if self.uid == 0:
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self._groups else 0
        return found.st_mode >> shift & bits == bits
