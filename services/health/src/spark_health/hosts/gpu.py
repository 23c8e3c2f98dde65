"""Reads what ``nvidia-smi`` says on a GB10: true numbers for load, ``[N/A]`` for memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from spark_common.remote.figures import decimal, whole
from spark_health.hosts.sections import Section

_FIELDS: Final = 11
_MIB: Final = 1024**2
_MISMATCH: Final = "driver/library version mismatch"
_NAME: Final = re.compile(r"[ -~]{1,80}", re.ASCII)
_VERSION: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}", re.ASCII)


@dataclass(frozen=True)
class GpuRow:
    """One GPU; None where the driver said ``[N/A]`` or nonsense. Memory in bytes."""

    name: str
    driver: str | None
    percent: float | None
    celsius: float | None
    watts: float | None
    watt_limit: float | None
    sm_mhz: float | None
    sm_max_mhz: float | None
    memory_used: int | None
    memory_total: int | None
    pstate: str | None


@dataclass(frozen=True)
class App:
    """A process on the GPU."""

    pid: int
    name: str
    bytes: int | None


def read_row(section: Section) -> GpuRow | None:
    """Return the first GPU; None when there is no row of the form that was asked for."""
    if not section.ok:
        return None
    for line in section.lines:
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != _FIELDS or not _NAME.fullmatch(cells[0]) or cells[0].startswith("["):
            continue
        used, total = whole(cells[8]), whole(cells[9])
        return GpuRow(
            name=cells[0],
            driver=cells[1] if _VERSION.fullmatch(cells[1]) else None,
            percent=_within(cells[2], 100),
            celsius=_within(cells[3], 200),
            watts=_within(cells[4], 2000),
            watt_limit=_within(cells[5], 2000),
            sm_mhz=_within(cells[6], 20_000),
            sm_max_mhz=_within(cells[7], 20_000),
            memory_used=used * _MIB if used is not None else None,
            memory_total=total * _MIB if total else None,
            pstate=cells[10] if re.fullmatch(r"P[0-9]{1,2}", cells[10]) else None,
        )
    return None


def read_apps(section: Section) -> tuple[App, ...] | None:
    """Return the processes on the GPU; None when the driver did not answer."""
    if not section.ok:
        return None
    found: dict[int, App] = {}
    for line in section.lines:
        first, comma, rest = line.partition(",")
        name, second, last = rest.rpartition(",")
        pid = whole(first.strip())
        if pid and comma and second and name.strip().isprintable() and name.strip():
            mib = whole(last.strip())
            size = mib * _MIB if mib is not None else None
            found.setdefault(pid, App(pid, name.strip()[:200], size))
    return tuple(found.values())


def problem_of(sections: Mapping[str, Section]) -> tuple[str | None, bool]:
    """Return why nothing is known of the GPU, in a sentence, and whether the driver is mixed up."""
    section = sections.get("smi")
    if section is None:
        return "What nvidia-smi said was cut off.", False
    said = section.text.strip()
    if _MISMATCH in said.lower():
        return (
            "The driver was updated and the Spark was not started anew: driver and library are of "
            "different versions.",
            True,
        )
    if section.silent:
        return "nvidia-smi did not answer in time.", False
    if section.code == 127:
        return "There is no nvidia-smi on its path.", False
    if not section.ok:
        first = next(iter(section.lines), "nothing")
        return f"nvidia-smi failed ({section.code}): {_plain(first)}", False
    return "nvidia-smi answered with something that is no row of numbers.", False


def _within(text: str, most: float) -> float | None:
    number = decimal(text)
    return number if number is not None and number <= most else None


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text.strip())[:160]
