"""Walks the files of one model and counts every byte once. Runs on a Spark."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass, field

from spark_swapper.scan.hf_cache import PARTIAL, Rights, stored_at

WHOLE, DEAD, UNREADABLE = "whole", "dead", "unreadable"
MAX_FILES = 200_000


class TooManyFilesError(OSError):
    """A folder that cannot be a model."""

    def __init__(self) -> None:
        super().__init__(27, "too many files")


@dataclass
class Inode:
    """One file on the disk, however many names it has."""

    size: int
    names: int
    """Names it has anywhere on the disk."""
    seen: int = 0
    """Names of it inside this model."""
    partial: bool = False
    stored: bool = False
    """In the store that repositories share."""
    foreign: bool = False
    """Only linked from here: deleting the model does not touch it."""


@dataclass
class Tally:
    """The files of one model, by device and inode, and what was found out on the way."""

    rights: Rights
    inodes: dict[tuple[int, int], Inode] = field(default_factory=dict)
    newest_partial: float = 0.0
    root_owned: bool = False
    files: int = 0

    def add(
        self, found: os.stat_result, *, name: str, stored: bool = False, foreign: bool = False
    ) -> str:
        """Count a file and say whether it can be used."""
        if not stat.S_ISREG(found.st_mode):
            return DEAD
        self.files += 1
        if self.files > MAX_FILES:
            raise TooManyFilesError
        key = (found.st_dev, found.st_ino)
        inode = self.inodes.get(key)
        if inode is None:
            inode = self.inodes[key] = Inode(found.st_size, found.st_nlink)
        inode.seen += 1
        inode.stored |= stored
        inode.foreign |= foreign
        if name.endswith(PARTIAL):
            inode.partial = True
            self.newest_partial = max(self.newest_partial, found.st_mtime)
        if not foreign:
            self.root_owned |= self.rights.is_roots(found)
        return WHOLE if self.rights.may_read(found) else UNREADABLE

    def enter(self, folder: str) -> None:
        """Look at a folder itself: who may empty it."""
        found = os.stat(folder)
        self.root_owned |= self.rights.is_roots(found) or not self.rights.may_empty(found)

    def bytes_of(self, *, partial: bool) -> int:
        """Return the bytes of the finished files, or of the unfinished ones."""
        return sum(inode.size for inode in self.inodes.values() if inode.partial is partial)


def count_blobs(repo: str, hub: str, tally: Tally) -> dict[str, str]:
    """Count ``blobs``; return the state of each by name. Raises OSError when it is unreadable."""
    states: dict[str, str] = {}
    folder = posixpath.join(repo, "blobs")
    try:
        tally.enter(folder)
        entries = os.scandir(folder)
    except FileNotFoundError:
        return states
    with entries:
        for entry in entries:
            stored = foreign = False
            if entry.is_symlink():
                stored = stored_at(entry.path, hub) is not None
                foreign = not stored
            try:
                # Follows the link into the store, where the bytes are.
                found = entry.stat()
            except OSError as wrong:
                # A file that is none any more was renamed by a download just now.
                if entry.is_symlink() or not isinstance(wrong, FileNotFoundError):
                    states[entry.name] = DEAD
                continue
            states[entry.name] = tally.add(found, name=entry.name, stored=stored, foreign=foreign)
    return states


def walk(root: str, tally: Tally, blobs: dict[str, str] | None) -> dict[str, str]:
    """Return every file below a folder, by its path from there, with its state.

    ``blobs``: states of the files that links of a snapshot lead to, counted before; None for a
    folder with the files in it, where links take no room. Links to folders are not followed.
    Raises OSError when a folder is unreadable.
    """
    files: dict[str, str] = {}
    waiting = [""]
    shelf = posixpath.normpath(posixpath.join(root, "../../blobs"))
    while waiting:
        inside = waiting.pop()
        folder = posixpath.join(root, inside) if inside else root
        near = "../" * (2 + inside.count("/") + bool(inside)) + "blobs/"
        tally.enter(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                path = posixpath.join(inside, entry.name) if inside else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_symlink():
                    files[path] = _linked(entry, near, shelf, tally, blobs)
                elif entry.is_file(follow_symlinks=False):
                    files[path] = tally.add(entry.stat(follow_symlinks=False), name=entry.name)
    return files


def _linked(
    entry: os.DirEntry[str], near: str, shelf: str, tally: Tally, blobs: dict[str, str] | None
) -> str:
    """Return the state of what a link leads to; ``near`` is how a link to a blob begins."""
    if blobs is not None:
        target = os.readlink(entry.path)
        name = target[len(near) :]
        if target.startswith(near) and name in blobs:
            # As huggingface_hub writes it.
            return blobs[name]
        target = posixpath.join(posixpath.dirname(entry.path), target)
        place, _, name = posixpath.normpath(target).rpartition("/")
        if place == shelf:
            return blobs.get(name, DEAD)
    try:
        found = entry.stat()
    except OSError:
        return DEAD
    if blobs is None or entry.is_dir():
        return WHOLE if tally.rights.may_read(found) else UNREADABLE
    return tally.add(found, name=entry.name, foreign=True)
