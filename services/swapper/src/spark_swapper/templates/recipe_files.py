"""Runs on a Spark as ``python3 - DIRECTORY``: the text of ``recipes/*.yaml`` of a checkout.

Standard library only, read-only, one line of JSON on standard output. Links are not followed;
number and size of the files are bounded, and what is left out is said.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\.ya?ml\Z")
MAX_FILES = 200
MAX_BYTES = 64 * 1024
MAX_TOTAL = 2 * 1024 * 1024


def read_file(folder: Path, name: str) -> dict[str, Any]:
    """Return the text of one file, or why there is none."""
    try:
        number = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as wrong:
        reason = "it is a link" if (folder / name).is_symlink() else str(wrong.strerror)
        return {"name": name, "problem": reason}
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return {"name": name, "problem": "it is no file"}
        content = b""
        while len(content) <= MAX_BYTES and (piece := os.read(number, MAX_BYTES + 1)):
            content += piece
    except OSError as wrong:
        return {"name": name, "problem": str(wrong.strerror)}
    finally:
        os.close(number)
    if len(content) > MAX_BYTES:
        return {"name": name, "problem": "it is larger than 64 KiB"}
    try:
        return {"name": name, "text": content.decode("utf-8")}
    except ValueError:
        return {"name": name, "problem": "it is not text in UTF-8"}


def listing(checkout: Path) -> dict[str, Any]:
    """Return everything there is to read."""
    folder = checkout / "recipes"
    found: dict[str, Any] = {"directory": str(folder), "files": []}
    if not checkout.is_dir():
        return {**found, "problem": "the checkout is not there"}
    if folder.is_symlink():
        return {**found, "problem": "the folder recipes is a link"}
    if not folder.is_dir():
        return {**found, "problem": "the checkout has no folder recipes"}
    try:
        names = sorted(path.name for path in folder.iterdir() if NAME.match(path.name))
    except OSError as wrong:
        return {**found, "problem": f"the folder recipes cannot be read: {wrong.strerror}"}
    total = 0
    for name in names[:MAX_FILES]:
        file = read_file(folder, name)
        total += len(file.get("text", ""))
        if total > MAX_TOTAL:
            return {**found, "problem": "together they are too large; the rest is left out"}
        found["files"].append(file)
    if len(names) > MAX_FILES:
        found["problem"] = f"there are more than {MAX_FILES}; the rest is left out"
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 - DIRECTORY")
    place = Path(sys.argv[1])
    place = place if place.is_absolute() else Path.home() / place
    sys.stdout.write(json.dumps(listing(place)) + "\n")
