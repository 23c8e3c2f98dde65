"""Runs on a Spark as ``python3 - list``: what is in the Hugging Face cache, disk, memory, name.

Standard library only, no rights needed, read-only; one line of JSON on standard output. Knows
both layouts of the cache: files in ``models--*/blobs``, and (huggingface_hub 1.32 and later)
links from there into ``hub/blobs/<xx>/<hash>``.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REPO_DIRECTORY = re.compile(r"models--[A-Za-z0-9._-]+\Z")
SHARD = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.(safetensors|bin)\Z")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth")
ALIVE_SECONDS = 120
"""A partial file that was written to this recently belongs to a running download."""
MAX_MISSING = 20
MAX_SHARDS = 9999


def hub() -> Path:
    """Return the folder of the cache, by the rules of huggingface_hub and the launcher."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache)
    home = os.environ.get("HF_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "huggingface") / "hub"


def blob_sizes(repo: Path) -> tuple[int, int, float, int]:
    """Return bytes of whole files, bytes of partial ones, newest change of those, dead links."""
    whole = partial = dangling = 0
    newest = 0.0
    blobs = repo / "blobs"
    for blob in blobs.iterdir() if blobs.is_dir() else ():
        try:
            # Follows the link into the shared store, where the bytes are.
            found = blob.stat()
        except OSError:
            dangling += 1
            continue
        if blob.name.endswith(".incomplete"):
            partial += found.st_size
            newest = max(newest, found.st_mtime)
        else:
            whole += found.st_size
    return whole, partial, newest, dangling


def head_snapshot(repo: Path) -> Path | None:
    """Return the snapshot that ``main`` names, else the last one."""
    snapshots = repo / "snapshots"
    names = sorted(path.name for path in snapshots.iterdir()) if snapshots.is_dir() else []
    try:
        main = (repo / "refs" / "main").read_text().strip()
    except (OSError, ValueError):
        main = ""
    if main in names:
        return snapshots / main
    return snapshots / names[-1] if names else None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a file; None when it is not there, or is something else."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def missing_weights(snapshot: Path, names: list[str]) -> list[str]:
    """Return the weight files that should be there and are not."""
    for index in INDEXES:
        mapped = (read_json(snapshot / index) or {}).get("weight_map")
        if isinstance(mapped, dict):
            wanted = {str(name) for name in mapped.values()}
            return sorted(name for name in wanted if not (snapshot / name).exists())
    present = {name for name in names if name.endswith(WEIGHTS) and (snapshot / name).exists()}
    if not present:
        return ["(no weight file)"]
    # Without an index the files' own names say how many there are.
    wanted = set()
    for match in filter(None, map(SHARD.match, present)):
        for number in range(1, min(int(match[3]), MAX_SHARDS) + 1):
            wanted.add(f"{match[1]}-{number:05}-of-{match[3]}.{match[4]}")
    return sorted(wanted - present)


def missing_files(snapshot: Path) -> list[str]:
    """Return missing weights and every other file of the snapshot whose bytes are not there."""
    names = sorted(path.name for path in snapshot.iterdir())
    missing = missing_weights(snapshot, names)
    dead = [name for name in names if not (snapshot / name).exists()]
    return missing + [name for name in dead if name not in missing]


def context_length(snapshot: Path) -> int | None:
    """Return the number of tokens the model was made for, from its configuration."""
    config = read_json(snapshot / "config.json") or {}
    for part in (config.get("text_config"), config.get("llm_config"), config):
        if isinstance(part, dict) and isinstance(part.get("max_position_embeddings"), int):
            return int(part["max_position_embeddings"])
    return None


def look_at_repo(repo: Path, now: float) -> dict[str, Any]:
    """Return name, sizes, state and context length of one repository."""
    found: dict[str, Any] = {"repo": repo.name[len("models--") :].replace("--", "/", 1)}
    try:
        whole, partial, newest, dangling = blob_sizes(repo)
        snapshot = head_snapshot(repo)
        missing = missing_files(snapshot) if snapshot else []
    except OSError as wrong:
        # Files that the container downloaded belong to root.
        reason = [f"({wrong.strerror})"]
        return {**found, "size_bytes": 0, "state": "incomplete", "missing": reason}
    if partial and now - newest < ALIVE_SECONDS:
        state = "downloading"
    elif snapshot is None:
        state = "no_snapshot"
    else:
        state = "incomplete" if missing or dangling else "ready"
    return {
        **found,
        "size_bytes": whole,
        "incomplete_bytes": partial,
        "state": state,
        "missing": missing[:MAX_MISSING],
        "context_length": context_length(snapshot) if snapshot else None,
    }


def said_by(*command: str) -> list[str]:
    """Return the lines of a program that answers at once; none when it fails."""
    try:
        # Not os.statvfs and open: what the Spark's own programs say is what its owner sees.
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def look_at_disk(folder: Path) -> dict[str, int]:
    """Return total and free bytes of the file system that holds, or would hold, the cache."""
    place = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    words = "".join(said_by("df", "-P", "-B1", str(place))[-1:]).split()
    if len(words) < 6 or not (words[1].isdigit() and words[3].isdigit()):
        return {}
    return {"disk_total_bytes": int(words[1]), "disk_free_bytes": int(words[3])}


def look_at_memory() -> dict[str, int]:
    """Return total and available bytes; on a Spark the GPU uses the same memory."""
    names = {"MemTotal:": "memory_total_bytes", "MemAvailable:": "memory_available_bytes"}
    found = {}
    for words in map(str.split, said_by("cat", "/proc/meminfo")):
        if len(words) == 3 and words[0] in names and words[1].isdigit():
            found[names[words[0]]] = int(words[1]) * 1024
    return found


def listing() -> dict[str, Any]:
    """Return the whole answer."""
    folder = hub()
    now = time.time()  # noqa: TID251 - compared with the Spark's own file times, on the Spark
    found: dict[str, Any] = {"hostname": socket.gethostname(), "hub": str(folder), "copies": []}
    try:
        repos = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as wrong:
        repos = []
        found["problem"] = f"{folder}: {wrong.strerror}"
    for repo in repos:
        if REPO_DIRECTORY.match(repo.name) and repo.is_dir() and not repo.is_symlink():
            found["copies"].append(look_at_repo(repo, now))
    return {**found, **look_at_disk(folder), **look_at_memory()}


if __name__ == "__main__":
    if sys.argv[1:] != ["list"]:
        sys.exit("usage: python3 - list")
    sys.stdout.write(json.dumps(listing()) + "\n")
