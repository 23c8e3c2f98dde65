"""Removes from the shared store what no other repository uses. Runs on a Spark."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from spark_swapper.scan.hf_cache import STORE, leftovers, repositories, stored_at

_AT_ONCE = 200
"""Locks held at a time: far below what a process may open."""
_BESIDE = (".refs", ".lock")


def links_into_store(hub: str, directory: str) -> set[str]:
    """Return what the blobs of a repository use of the store, as ``blobs/<xx>/<hash>``."""
    try:
        with os.scandir(os.path.join(hub, directory, "blobs")) as entries:
            found = {stored_at(entry.path, hub) for entry in entries if entry.is_symlink()}
    except OSError:
        return set()
    return {place for place in found if place is not None}


def used_by_others(hub: str, directory: str) -> set[str]:
    """Return what every other repository uses; also those that are about to be removed."""
    others = {*repositories(hub), *leftovers(hub)} - {directory}
    return set().union(*(links_into_store(hub, other) for other in others))


def clear_store(hub: str, directory: str) -> tuple[int, list[str]]:
    """Remove what only ``directory`` uses; return the bytes freed and what was not permitted."""
    freed, denied = 0, list[str]()
    mine = sorted(links_into_store(hub, directory))
    if os.path.islink(os.path.join(hub, STORE)):
        return 0, []
    for start in range(0, len(mine), _AT_ONCE):
        with ExitStack() as locks:
            free = [
                place
                for place in mine[start : start + _AT_ONCE]
                if locks.enter_context(_locked(os.path.join(hub, place + ".lock")))
            ]
            # Looked at under the locks: whoever begins to use a file has to hold its lock.
            others = used_by_others(hub, directory)
            for place in free:
                if place not in others:
                    size, permitted = _remove(hub, place)
                    freed += size
                    denied += [] if permitted else [place + end for end in ("", *_BESIDE)]
    return freed, denied


def _remove(hub: str, place: str) -> tuple[int, bool]:
    path = os.path.join(hub, place)
    if os.path.islink(os.path.dirname(path)):
        return 0, True
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            return 0, True
        size = found.st_size if found.st_nlink == 1 else 0
    except OSError:
        return 0, True
    try:
        os.unlink(path)
    except PermissionError:
        return size, False
    except OSError:
        return 0, True
    for end in _BESIDE:
        try:
            os.unlink(path + end)
        except OSError:
            continue
    return size, True


@contextmanager
def _locked(path: str) -> Iterator[bool]:
    """Hold the lock of a stored file; False when a download holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        # Nobody ever locked it, or root did, long ago.
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
