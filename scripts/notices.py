"""Writes THIRD_PARTY.md: what others made that is delivered with ours, and the licences."""

import json
import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
_HEAD = """# What others made

The image and the StartOS package contain these, under their own licences, whose texts are with
each of them (in the image below `/opt/spark/lib`). `make notices` writes this list.

| what | version | licence |
| --- | --- | --- |
"""
_IMAGES = (
    ("Python and Debian, the base of the image", "", "PSF-2.0, and those of Debian's packages"),
    ("NATS Server", "", "Apache-2.0"),
    ("Valkey", "", "BSD-3-Clause"),
)


def python_rows() -> list[tuple[str, str, str]]:
    """Return what the lock of the image names, as installed here."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text, re.MULTILINE)
    return [(name, version, _licence(name)) for name, version in pinned]


def node_rows() -> list[tuple[str, str, str]]:
    """Return what is bundled into the StartOS package."""
    lock = json.loads((ROOT / "startos" / "package-lock.json").read_text("utf-8"))
    rows = {
        (path.rpartition("node_modules/")[2], one["version"], one.get("license", "see its text"))
        for path, one in lock["packages"].items()
        if path and "version" in one and not one.get("dev")
    }
    return sorted(rows)


def _licence(name: str) -> str:
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return "see its text"
    short = (told.get("License-Expression") or told.get("License") or "").strip()
    if short and "\n" not in short and len(short) < 60:
        return short
    named = [line for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
    return ", ".join(line.rpartition(" :: ")[2] for line in named) or "see its text"


def main() -> None:
    rows = [*_IMAGES, *python_rows(), *node_rows()]
    body = "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in rows)
    (ROOT / "THIRD_PARTY.md").write_text(_HEAD + body, "utf-8")


if __name__ == "__main__":
    main()
