"""Runs on a Spark as ``python3 - list [PATHS]``: models on the disk, free space, memory, name.

Standard library only, no rights needed, read-only; one line on standard output. ``PATHS`` is a
JSON list of absolute folders that hold a local model each.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from spark_swapper.scan.hf_cache import Rights, hub, leftovers, repositories, shown
from spark_swapper.scan.hf_repo import FoundModel, look_at_folder, look_at_repo

MAX_MODELS = 5000
PACK_BYTES = 16 * 1024
"""A longer answer is sent packed: ``gzip `` and Base64."""


def said_by(*command: str) -> list[str]:
    """Return the lines of a program that answers at once; none when it fails."""
    try:
        # Not os.statvfs and open: what the Spark's own programs say is what its owner sees.
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def look_at_disk(folder: str) -> dict[str, int]:
    """Return total and free bytes of the file system that holds, or would hold, the cache."""
    place = Path(folder)
    place = next((path for path in (place, *place.parents) if os.path.exists(path)), Path("/"))
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


def look_at_hub(folder: str, now: float, rights: Rights) -> tuple[list[FoundModel], dict[str, Any]]:
    """Return the models of the cache, and what is to be said about the cache as a whole."""
    try:
        names = repositories(folder)
        left = leftovers(folder)
    except (FileNotFoundError, NotADirectoryError):
        return [], {}
    except OSError as wrong:
        return [], {"problem": f"{shown(folder)}: {wrong.strerror}"}
    about: dict[str, Any] = {"leftovers": left[:MAX_MODELS]} if left else {}
    if len(names) > MAX_MODELS:
        about["problem"] = f"{shown(folder)}: only {MAX_MODELS} of {len(names)} models are shown"
    return [look_at_repo(folder, name, now, rights) for name in names[:MAX_MODELS]], about


def listing(paths: list[str]) -> dict[str, Any]:
    """Return the whole answer; ``paths`` are the folders of local models."""
    folder = hub()
    now = time.time()  # noqa: TID251 - compared with the Spark's own file times, on the Spark
    rights = Rights()
    models, about = look_at_hub(folder, now, rights)
    users = Counter(key for model in models for key, i in model.tally.inodes.items() if i.stored)
    local = [look_at_folder(path, now, rights) for path in paths]
    copies = [model.answer(users) for model in models]
    copies += [model.answer({}) for model in local if model is not None]
    whose = {"hostname": socket.gethostname(), "hub": shown(folder), "copies": copies}
    return {**whose, **about, **look_at_disk(folder), **look_at_memory()}


def packed(answer: dict[str, Any]) -> str:
    """Return the answer as one line, packed when it is long."""
    line = json.dumps(answer, separators=(",", ":"))
    if len(line) < PACK_BYTES:
        return line
    return "gzip " + base64.b64encode(gzip.compress(line.encode(), 6, mtime=0)).decode()


def main(argv: list[str]) -> None:
    """Answer, or refuse what is no question."""
    paths = json.loads(argv[1]) if len(argv) == 2 else []
    wrong = argv[:1] != ["list"] or len(argv) > 2 or not isinstance(paths, list)
    if wrong or not all(isinstance(path, str) and path.startswith("/") for path in paths):
        sys.exit("usage: python3 - list ['[\"/folder/of/a/local/model\"]']")
    sys.stdout.write(packed(listing(paths)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
