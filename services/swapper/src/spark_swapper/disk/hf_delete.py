"""Runs on a Spark as ``python3 - delete IMAGE CONTAINER FOLDER...`` or ``sweep IMAGE CONTAINER``.

Standard library only; one line of JSON on standard output. A folder is first renamed to what no
scan takes for a model, then removed: whoever looks sees the whole model or none, and whatever a
killed deletion leaves behind is removed by the next one. May be repeated at any time.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import sys
import time
from typing import Any

from spark_swapper.disk.hf_root import Root
from spark_swapper.disk.hf_store import clear_store
from spark_swapper.scan.hf_cache import (
    LEFTOVER,
    PARTIAL,
    hub,
    is_fresh,
    is_locked,
    leftovers,
    repo_of,
    shown,
)

_NAMES = 9


class RefusedError(Exception):
    """Why a folder stays: a code and the words of the system."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.said = said


def being_downloaded(folder: str, name: str) -> bool:
    """Say whether a download holds a lock, or wrote to a partial file just now."""
    if is_locked(folder, name):
        return True
    now = time.time()  # noqa: TID251 - compared with the Spark's own file times, on the Spark
    try:
        with os.scandir(os.path.join(folder, name, "blobs")) as entries:
            times = [entry.stat().st_mtime for entry in entries if entry.name.endswith(PARTIAL)]
    except OSError:
        return False
    return any(is_fresh(moment, now) for moment in times)


def set_aside(folder: str, name: str, root: Root) -> str | None:
    """Rename a repository out of every list; return its new name, None when it is not there.

    Raises RefusedError.
    """
    path = os.path.join(folder, name)
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise RefusedError("denied", wrong.strerror or "") from wrong
    if not stat.S_ISDIR(found.st_mode):
        raise RefusedError("not_a_folder")
    if being_downloaded(folder, name):
        raise RefusedError("downloading")
    ends = ("", *(f".{number}" for number in range(1, _NAMES)))
    free = (f".deleting-{name}{end}" for end in ends)
    aside = next((n for n in free if not os.path.lexists(os.path.join(folder, n))), None)
    if aside is None:
        raise RefusedError("denied", "what earlier deletions left cannot be removed")
    rename(folder, name, aside, root)
    if is_locked(folder, name):
        # A download began in this very moment: give it back.
        rename(folder, aside, name, root)
        raise RefusedError("downloading")
    return aside


def rename(folder: str, name: str, new: str, root: Root) -> None:
    """Rename a folder of the hub, with a container's rights where ours are too few.

    Raises RefusedError.
    """
    path = os.path.join(folder, name)
    try:
        os.rename(path, os.path.join(folder, new))
    except PermissionError as wrong:
        if not root.run(("mv", "-T"), (name, new)) or os.path.lexists(path):
            raise RefusedError("denied", root.said or wrong.strerror or "") from wrong
    except OSError as wrong:
        raise RefusedError("denied", wrong.strerror or "") from wrong


def own_bytes(top: str) -> int:
    """Return what removing a folder frees; a file that has a name elsewhere stays."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    names: dict[tuple[int, int], int] = {}
    for folder, _, files in os.walk(top):
        for file in files:
            try:
                status = os.lstat(os.path.join(folder, file))
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                key = (status.st_dev, status.st_ino)
                found[key] = (status.st_size, status.st_nlink)
                names[key] = names.get(key, 0) + 1
    return sum(size for key, (size, links) in found.items() if links <= names[key])


def clear(folder: str, aside: str, root: Root) -> int:
    """Remove what was set aside, the store first: its links say what is to go. Return bytes.

    Raises RefusedError when something is still there.
    """
    path = os.path.join(folder, aside)
    freed = own_bytes(path)
    stored, denied = clear_store(folder, aside)
    if not denied:
        shutil.rmtree(path, ignore_errors=True)
    match = LEFTOVER.match(aside)
    locks = os.path.join(".locks", match[1] if match else aside)
    shutil.rmtree(os.path.join(folder, locks), ignore_errors=True)
    if os.path.lexists(path):
        denied.append(aside)
        if os.path.lexists(os.path.join(folder, locks)):
            denied.append(locks)
        root.run(("rm", "-rf"), denied)
    if any(os.path.lexists(os.path.join(folder, place)) for place in denied):
        raise RefusedError("denied", root.said)
    return freed + stored


def sweep(folder: str, root: Root) -> int:
    """Remove what interrupted deletions left, as far as possible; return the bytes."""
    freed = 0
    for aside in leftovers(folder):
        try:
            freed += clear(folder, aside, root)
        except RefusedError:
            continue
    return freed


def delete(folder: str, names: list[str], root: Root) -> dict[str, Any]:
    """Delete repositories and return what was freed and what stays, each with its reason."""
    freed, kept = 0, []
    swept = sweep(folder, root)
    for name in names:
        try:
            aside = set_aside(folder, name, root)
            freed += clear(folder, aside, root) if aside is not None else 0
        except RefusedError as no:
            kept.append({"folder": name, "code": no.code, "said": shown(no.said)})
    return {"freed_bytes": freed, "swept_bytes": swept, "kept": kept}


def alone(folder: str, *, wait: bool) -> bool:
    """Keep other deletions out of a hub until this process ends; False when one is going on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def main(argv: list[str]) -> None:
    """Answer, or refuse what is no order."""
    usage = "usage: python3 - delete IMAGE CONTAINER FOLDER... | sweep IMAGE CONTAINER"
    if len(argv) < 3 or argv[0] not in ("delete", "sweep"):
        sys.exit(usage)
    verb, image, container, *names = argv
    if bool(names) != (verb == "delete") or any(repo_of(name) is None for name in names):
        sys.exit(usage)
    # The hub may be a link; everything below it is looked at without following one.
    folder = os.path.realpath(hub())
    answer: dict[str, Any] = {"freed_bytes": 0, "swept_bytes": 0, "kept": []}
    if os.path.isdir(folder) and alone(folder, wait=verb == "delete"):
        answer = delete(folder, names, Root(folder, image, container))
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
