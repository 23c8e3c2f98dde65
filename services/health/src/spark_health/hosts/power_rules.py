"""Reads ``sudo -n -l``: how a Spark may be turned off by a rule for just that."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_RULE: Final = re.compile(r"^\s+\(([^)]*)\)\s*(.*)$")
_TAG: Final = re.compile(r"^([A-Z_]+):\s*")
_PATH: Final = re.compile(r"/[A-Za-z0-9._/-]{1,200}", re.ASCII)
_OFF: Final = {
    "spark-shutdown": (),
    "poweroff": (),
    "shutdown": ("-h", "now"),
    "systemctl": ("poweroff",),
}
_AGAIN: Final = {
    "spark-reboot": (),
    "reboot": (),
    "shutdown": ("-r", "now"),
    "systemctl": ("reboot",),
}
_SAME: Final = {("-P", "now"), ("now",), ("-h", "now")}


@dataclass(frozen=True)
class PowerRules:
    """What to run after ``sudo -n``; None where no rule allows it."""

    shutdown: tuple[str, ...] | None = None
    reboot: tuple[str, ...] | None = None


def read_rules(text: str) -> PowerRules:
    """Return what is allowed without a password by a rule that names the program.

    A rule for everything (``ALL``) is not scoped and counts for nothing.
    """
    shutdown: tuple[str, ...] | None = None
    reboot: tuple[str, ...] | None = None
    for words in _allowed(text):
        path, given = words[0], words[1:]
        name = path.rpartition("/")[2]
        free = given in {(), ("*",)}
        if name in _OFF and shutdown is None:
            usual = _OFF[name]
            if given == usual or free:
                shutdown = (path, *usual)
            elif name == "shutdown" and given in _SAME:
                shutdown = (path, *given)
        if name in _AGAIN and reboot is None and (given == _AGAIN[name] or free):
            reboot = (path, *_AGAIN[name])
    return PowerRules(shutdown, reboot)


def _allowed(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands that root's rules allow without a password."""
    for line in _rules(text):
        found = _RULE.match(line)
        if found is None or not {"root", "ALL"} & set(re.split(r"[\s,:]+", found[1])):
            continue
        free = False
        for entry in found[2].split(","):
            command = entry.strip()
            while tag := _TAG.match(command):
                if tag[1] in {"NOPASSWD", "PASSWD"}:
                    free = tag[1] == "NOPASSWD"
                command = command[tag.end() :]
            words = tuple(command.split())
            if free and words and _PATH.fullmatch(words[0]):
                yield words


def _rules(text: str) -> Iterator[str]:
    """Yield one line per rule: sudo folds long ones."""
    kept = ""
    for line in text.split("\n"):
        if _RULE.match(line) or not line.startswith(" "):
            yield kept
            kept = line
        else:
            kept += " " + line.strip()
    yield kept
