"""What one answer of a Spark amounts to: numbers that were said, and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from spark_common.contracts.hardware import Disk, Memory, Route
from spark_common.remote.figures import decimal, meminfo, whole
from spark_health.hosts.consumers import Box, read_box_memory, read_boxes, read_groups
from spark_health.hosts.gpu import App, GpuRow, problem_of, read_apps, read_row
from spark_health.hosts.network import Address, read_addresses, read_links, read_routes
from spark_health.hosts.power_rules import PowerRules, read_rules
from spark_health.hosts.sections import Section

_UPTIME: Final = re.compile(r"[0-9]{1,12}\.[0-9]{2} [0-9]{1,14}\.[0-9]{2}", re.ASCII)
_LOAD: Final = re.compile(
    r"([0-9]+\.[0-9]{2}) ([0-9]+\.[0-9]{2}) ([0-9]+\.[0-9]{2}) [0-9]+/[0-9]+ [0-9]+", re.ASCII
)
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", re.ASCII)
_WHOLE: Final = (
    *("disk", "cores", "system", "route", "address", "link", "wireguard", "containers"),
    *("desktop", "sudo", "blobs"),
)
_SLOW_ONES: Final = {"smi": "nvidia-smi", "apps": "nvidia-smi", "containers": "docker", "proc": ""}
_DESKTOPS: Final = re.compile(r"Xorg|Xwayland|gnome-shell|kwin_wayland|plasmashell")


@dataclass(frozen=True)
class Moving:
    """What changes all the time."""

    epoch: int | None = None
    """Its clock, in seconds."""
    uptime: float | None = None
    load: tuple[float, float, float] | None = None
    memory: Memory | None = None
    gpu: GpuRow | None = None
    gpu_problem: str | None = None
    driver_mismatch: bool = False
    apps: tuple[App, ...] | None = None
    groups: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Rest:
    """What changes rarely; None where it was not said."""

    disk: Disk | None = None
    cores: int | None = None
    hostname: str | None = None
    kernel: str | None = None
    routes: tuple[Route, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    links: Mapping[str, str] | None = None
    wireguard: tuple[str, ...] | None = None
    boxes: tuple[Box, ...] | None = None
    box_memory: Mapping[str, int] | None = None
    """Bytes that each container allocated itself."""
    docker: str | None = None
    """Why docker gave no list."""
    desktop: tuple[str, ...] | None = None
    rules: PowerRules | None = None
    shared_blobs: int | None = None

    def over(self, older: "Rest") -> "Rest":
        """Return this with what it lacks taken from an older one."""
        lacking = {
            name: getattr(older, name)
            for name in self.__dataclass_fields__
            if getattr(self, name) is None and name != "docker"
        }
        return replace(self, **lacking)


@dataclass(frozen=True)
class Reading:
    """One answer."""

    moving: Moving
    rest: Rest | None
    """None for a quick look."""
    complete: bool
    """Whether the end of the script was seen."""
    silent: tuple[str, ...] = ()
    """Programs there that did not answer in time."""
    hurried: bool = False
    """Whether there was no time for some of it."""
    unread: tuple[str, ...] = ()

    @property
    def says_anything(self) -> bool:
        """Whether the Spark said at least how it is."""
        return self.moving.memory is not None or self.moving.uptime is not None


def read(sections: Mapping[str, Section]) -> Reading:
    """Return what the sections say; never raises, whatever is in them."""
    asked = [name for name in _WHOLE if name in sections]
    silent = {
        program
        for name, program in _SLOW_ONES.items()
        if program and name in sections and sections[name].hung
    }
    moving = _moving(sections)
    unread = []
    if moving.memory is None:
        unread.append("Its memory could not be read.")
    if moving.gpu is None and moving.gpu_problem:
        unread.append(moving.gpu_problem)
    rest = _rest(sections) if asked else None
    if rest is not None:
        if rest.docker:
            unread.append(rest.docker)
        if rest.disk is None:
            unread.append("Its disk could not be read.")
    complete = "end" in sections
    if not complete:
        unread.append("Its answer was cut off.")
    hurried = any(section.code is None for section in sections.values())
    return Reading(moving, rest, complete, tuple(sorted(silent)), hurried, tuple(unread))


def _moving(sections: Mapping[str, Section]) -> Moving:
    lines = _lines(sections, "proc")
    text = "\n".join(lines)
    row = read_row(sections["smi"]) if "smi" in sections else None
    problem, mismatch = (None, False) if row is not None else problem_of(sections)
    return Moving(
        epoch=whole(next(iter(_lines(sections, "clock")), None)),
        uptime=_uptime(lines),
        load=_load(lines),
        memory=_memory(text),
        gpu=row,
        gpu_problem=problem,
        driver_mismatch=mismatch,
        apps=read_apps(sections["apps"]) if "apps" in sections else None,
        groups=read_groups(_lines(sections, "groups")),
    )


def _rest(sections: Mapping[str, Section]) -> Rest:
    def ok(name: str) -> list[str] | None:
        section = sections.get(name)
        return section.lines if section is not None and section.ok else None

    system = next(iter(ok("system") or ()), "").split()
    named = len(system) > 3 and system[0] == "Linux" and bool(_HOSTNAME.fullmatch(system[1]))
    routes, addresses, links = ok("route"), ok("address"), ok("link")
    wireguard, boxes, blobs = ok("wireguard"), ok("containers"), ok("blobs")
    return Rest(
        disk=_disk(ok("disk") or ()),
        cores=_positive(next(iter(ok("cores") or ()), None)),
        hostname=system[1] if named else None,
        kernel=system[2][:100] if named else None,
        routes=None if routes is None else read_routes(routes),
        addresses=None if addresses is None else read_addresses(addresses),
        links=None if links is None else read_links(links),
        wireguard=None if wireguard is None else tuple(wireguard),
        boxes=None if boxes is None else read_boxes(boxes),
        box_memory=None if (own := ok("boxmemory")) is None else read_box_memory(own),
        docker=_docker(sections.get("containers")),
        desktop=_desktop(sections.get("desktop")),
        rules=_rules(sections.get("sudo")),
        shared_blobs=whole(next(iter(blobs or ()), "").strip() or None),
    )


def _lines(sections: Mapping[str, Section], name: str) -> list[str]:
    return sections[name].lines if name in sections else []


def _uptime(lines: Sequence[str]) -> float | None:
    found = next((line for line in lines if _UPTIME.fullmatch(line.strip())), None)
    return None if found is None else decimal(found.split()[0])


def _load(lines: Sequence[str]) -> tuple[float, float, float] | None:
    for line in lines:
        if found := _LOAD.fullmatch(line.strip()):
            one, five, fifteen = (decimal(word) for word in found.groups())
            if one is not None and five is not None and fifteen is not None:
                return one, five, fifteen
    return None


def _memory(text: str) -> Memory | None:
    rows = meminfo(text)
    total, available = rows.get("MemTotal"), rows.get("MemAvailable")
    if not total or available is None or available > total:
        return None
    cached = rows.get("Cached")
    page_cache = None
    if cached is not None:
        # What programs share in memory is counted as cached and cannot make room.
        page_cache = max(0, cached + rows.get("Buffers", 0) - rows.get("Shmem", 0))
    swap, swap_free = rows.get("SwapTotal"), rows.get("SwapFree")
    swapped = swap - swap_free if swap is not None and swap_free is not None else None
    return Memory(
        total=total,
        available=available,
        used=total - available,
        free=_at_most(rows.get("MemFree"), total),
        page_cache=_at_most(page_cache, total),
        swap_total=swap,
        swap_used=swapped if swapped is not None and swapped >= 0 else None,
    )


def _disk(lines: Sequence[str]) -> Disk | None:
    for line in lines:
        words = line.split()
        if len(words) == 6 and words[5] == "/":
            total, used, available = (whole(word) for word in words[1:4])
            if total and used is not None and available is not None and used <= total:
                return Disk(total=total, used=used, available=min(available, total))
    return None


def _docker(section: Section | None) -> str | None:
    if section is None or section.ok:
        return None
    said = section.text.strip()
    if section.silent:
        return "docker did not answer in time." if section.hung else "docker was not asked."
    if "permission denied" in said.lower():
        return "Its user may not speak to docker: add it to the group docker and log in anew."
    if section.code == 127:
        return "There is no docker on its path."
    return "docker answered with an error."


def _desktop(section: Section | None) -> tuple[str, ...] | None:
    if section is None or section.code not in {0, 1}:
        return None
    found = {hit[0] for line in section.lines if (hit := _DESKTOPS.search(line))}
    return tuple(sorted(found)) if section.ok else ()


def _rules(section: Section | None) -> PowerRules | None:
    if section is None or section.silent:
        return None
    return read_rules(section.text) if section.ok else PowerRules()


def _positive(text: str | None) -> int | None:
    return whole(text) or None


def _at_most(size: int | None, total: int) -> int | None:
    return size if size is not None and size <= total else None
