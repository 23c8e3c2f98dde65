"""What is known of one model on the disk: sizes, state, what is missing. Runs on a Spark."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from spark_swapper.scan.hf_cache import Rights, is_fresh, is_locked, read_bytes, repo_of, shown
from spark_swapper.scan.hf_files import DEAD, UNREADABLE, Tally, count_blobs, walk
from spark_swapper.scan.hf_weights import context_length, missing_weights

MAX_MISSING = 20


class FoundModel:
    """One model and the counts from which its numbers follow."""

    def __init__(self, repo: str, rights: Rights) -> None:
        self.repo = repo
        self.tally = Tally(rights)
        self.facts: dict[str, Any] = {}

    def answer(self, users: dict[tuple[int, int], int]) -> dict[str, Any]:
        """Return the whole answer; ``users``: how many repositories use a file of the store."""
        shared = sum(
            inode.size
            for key, inode in self.tally.inodes.items()
            if inode.foreign
            or (inode.stored and (users.get(key, 0) > 1 or inode.names > 1))
            or (not inode.stored and inode.names > inode.seen)
        )
        told = {
            "incomplete_bytes": self.tally.bytes_of(partial=True),
            "shared_bytes": shared,
            "root_owned": self.tally.root_owned,
            **self.facts,
        }
        size = self.tally.bytes_of(partial=False)
        # What is nothing is left out: a thousand models are one answer.
        return {"repo": self.repo, "size_bytes": size, **{k: v for k, v in told.items() if v}}


def look_at_repo(hub: str, directory: str, now: float, rights: Rights) -> FoundModel:
    """Look at one repository of the cache."""
    model = FoundModel(repo_of(directory) or directory, rights)
    repo = posixpath.join(hub, directory)
    head: str | None = None
    files: dict[str, str] = {}
    wrong: OSError | None = None
    try:
        model.tally.enter(repo)
        blobs = count_blobs(repo, hub, model.tally)
        snapshots = revisions(repo)
        head = head_of(repo, snapshots)
        for snapshot in snapshots:
            found = walk(posixpath.join(repo, "snapshots", snapshot), model.tally, blobs)
            files = found if snapshot == head else files
        model.facts["revisions"] = len(snapshots)
    except OSError as error:
        # Files that the container downloaded belong to root.
        wrong = error
        model.tally.root_owned |= isinstance(error, PermissionError)
    top = posixpath.join(repo, "snapshots", head) if head else None
    state, missing = _judge(top, files, wrong)
    if state != "ready" or model.tally.newest_partial:
        fresh = is_fresh(model.tally.newest_partial, now)
        if fresh or (state != "ready" and is_locked(hub, directory)):
            state = "downloading"
    model.facts |= {"state": state, "missing": missing}
    model.facts["context_length"] = context_length(top) if top else None
    return model


def look_at_folder(path: str, now: float, rights: Rights) -> FoundModel | None:
    """Look at a model that lies in a folder of its own; None when there is none."""
    if not os.path.isdir(path):
        return None
    model = FoundModel(path, rights)
    files: dict[str, str] = {}
    wrong: OSError | None = None
    try:
        files = walk(path, model.tally, None)
    except OSError as error:
        wrong = error
    state, missing = _judge(path, files, wrong)
    if is_fresh(model.tally.newest_partial, now):
        state = "downloading"
    model.facts |= {"state": state, "missing": missing, "local": True}
    model.facts["context_length"] = context_length(path)
    return model


def _judge(top: str | None, files: dict[str, str], wrong: OSError | None) -> tuple[str, list[str]]:
    if wrong is not None:
        return "broken", [f"({wrong.strerror or 'unreadable'})"]
    if top is None:
        return "no_snapshot", []
    weights, damaged = missing_weights(top, files)
    dead = sorted(path for path, state in files.items() if state == DEAD)
    unread = sorted(path for path, state in files.items() if state == UNREADABLE)
    missing = [shown(path) for path in [*weights, *dead]]
    missing += [f"{shown(path)} (cannot be read)" for path in [*unread, *damaged]]
    if dead or unread or damaged:
        return "broken", missing[:MAX_MISSING]
    return ("incomplete" if missing else "ready"), missing[:MAX_MISSING]


def revisions(repo: str) -> list[str]:
    """Return the names of the revisions, the one written last at the end."""
    try:
        with os.scandir(posixpath.join(repo, "snapshots")) as entries:
            found = [
                (entry.stat(follow_symlinks=False).st_mtime, entry.name)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return [name for _, name in sorted(found)]


def head_of(repo: str, snapshots: list[str]) -> str | None:
    """Return the revision that ``main`` names, else the one written last."""
    try:
        main = os.fsdecode(read_bytes(posixpath.join(repo, "refs", "main"), 200)).strip()
    except OSError:
        main = ""
    if main in snapshots:
        return main
    return snapshots[-1] if snapshots else None
