"""The cards of the page: what serves, the Sparks, the services, our parts, the latest swaps."""

from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from spark_common.contracts.health import TargetView
from spark_common.contracts.models import HostView
from spark_common.contracts.swaps import SwapView
from spark_gateway.status_page import words
from spark_gateway.status_page.markup import Child, made, pill, section, table
from spark_gateway.status_page.verdict import Tone, reserved, serving_name, swapping, troubles
from spark_gateway.streams.board import LiveSnapshot

_LEVELS: Final[dict[str, tuple[Tone, str]]] = {
    "up": ("ok", "Up"),
    "idle": ("idle", "Idle"),
    "busy": ("now", "Busy"),
    "degraded": ("warn", "Not well"),
    "down": ("bad", "Down"),
    "unknown": ("idle", "Not known"),
}
_ENDS: Final[dict[str, tuple[Tone, str]]] = {
    "ready": ("ok", "Ready"),
    "failed": ("bad", "Failed"),
    "rolled_back": ("warn", "Rolled back"),
    "cancelled": ("idle", "Cancelled"),
}
_MAINTENANCE: Final[tuple[Tone, str]] = ("idle", "Maintenance")
_SWAPS: Final = 8


def now(view: LiveSnapshot, moment: datetime) -> ET.Element:
    """What is loaded, what runs, who has the Sparks, what is not well."""
    facts: list[tuple[str, Child]] = []
    if view.menu is not None:
        runtime = view.menu.runtime
        name = serving_name(view.menu)
        facts.append(("Loaded model", name or "none"))
        if name and runtime.since is not None:
            facts.append(("Serving", words.since(runtime.since, moment)))
        if name and runtime.context_length:
            facts.append(("Context", f"{runtime.context_length:,} tokens".replace(",", "\u202f")))
    if view.swaps is not None and view.swaps.current is not None:
        asked = f" Asked for by {view.swaps.current.requested_by}."
        facts.append(("Swap", swapping(view.swaps.current) + asked))
    if view.swaps is not None and view.swaps.queue:
        facts.append(("Waiting swaps", words.listed([e.model_name for e in view.swaps.queue])))
    facts.append(("Reserved", reserved(view, moment) or ("no" if view.lease else "not known")))
    if view.held:
        facts.append(("Requests that wait for a model", str(view.held)))
    listed = made("dl", class_="facts")
    for label, value in facts:
        listed.append(made("div", made("dt", label), made("dd", value)))
    wrong = list(troubles(view, view.menu)) if view.menu is not None else []
    notes = [made("li", pill(e.tone, e.word), " ", made("span", e.text)) for e in wrong]
    return section("now", "Now", listed, made("ul", *notes, class_="stack-2") if notes else None)


def sparks(view: LiveSnapshot, now: datetime) -> ET.Element | None:
    """Every Spark, with what is free and how long it was up."""
    if view.menu is None:
        return None
    seen = _by_name(view)
    rows = [_spark(host, seen.get(host.name), now) for host in view.menu.hosts]
    heads = ["Spark", "State", "Memory free", "Disk free", "24 h", "7 days", "30 days"]
    return section("sparks", "Sparks", table("The Sparks", heads, rows))


def _spark(host: HostView, seen: TargetView | None, now: datetime) -> list[Child]:
    away = host.state == "unreachable" or (seen is not None and seen.level == "down")
    tone: Tone = "bad" if away else "ok" if host.state == "online" else "idle"
    word = "Cannot be reached" if away else "Online" if host.state == "online" else "Looking"
    free = host.memory_available_bytes
    room = host.disk_free_bytes
    return [
        host.label,
        made("span", pill(tone, word), " ", words.since(seen.since, now) if seen else ""),
        words.memory(free) if free is not None and not away else words.UNKNOWN,
        words.disk(room) if room is not None and not away else words.UNKNOWN,
        *_uptime(seen),
    ]


def services(view: LiveSnapshot, now: datetime) -> ET.Element:
    """Everything that is watched beside the Sparks."""
    if view.health is None:
        return section("services", "Services", made("p", "Nobody who watches them answers."))
    rows: list[list[Child]] = []
    for each in view.health.targets:
        if each.kind == "host":
            continue
        look = _MAINTENANCE if each.maintenance else _LEVELS[each.state]
        why = words.sentence(each.reason) if each.level in ("down", "degraded") else ""
        state = made("span", pill(*look), " ", words.since(each.since, now))
        cell = made("div", state, made("span", why, class_="help block") if why else None)
        rows.append([each.label, cell, *_uptime(each)])
    heads = ["Service", "State", "24 h", "7 days", "30 days"]
    return section("services", "Services", table("The services", heads, rows))


def parts(view: LiveSnapshot) -> ET.Element:
    """Our own services and the bus."""
    looks: dict[str, tuple[Tone, str]] = {
        "up": ("ok", "Answers"),
        "down": ("bad", "Does not answer"),
        "unknown": ("idle", "Not known"),
    }
    rows: list[list[Child]] = [[each.name, pill(*looks[each.state])] for each in view.components]
    bus: tuple[Tone, str] = ("ok", "Answers") if view.bus.connected else ("bad", "Is down")
    rows.append(["event bus", pill(*bus)])
    title = "Parts of spark-control"
    return section("parts", title, table("The parts", ["Part", "State"], rows))


def swaps(view: LiveSnapshot, now: datetime) -> ET.Element | None:
    """How the latest swaps ended."""
    ended = [e for e in view.swaps.recent if e.phase in _ENDS] if view.swaps is not None else []
    if not ended:
        return None
    rows = [_swap(each, now) for each in ended[:_SWAPS]]
    heads = ["Model", "Ended", "When", "Took", "Asked for by"]
    return section("swaps", "Latest swaps", table("The latest swaps", heads, rows))


def _swap(swap: SwapView, now: datetime) -> list[Child]:
    end = swap.finished_at
    why = swap.cause.sentence if swap.cause is not None and swap.phase != "ready" else ""
    outcome = made("div", pill(*_ENDS[swap.phase]))
    if why:
        outcome.append(made("span", why, class_="help block"))
    took = (end - swap.created_at).total_seconds() if end is not None else None
    return [
        swap.model_name,
        outcome,
        f"{words.span((now - end).total_seconds())} ago" if end is not None else words.UNKNOWN,
        words.span(took) if took is not None else words.UNKNOWN,
        swap.requested_by,
    ]


def _uptime(seen: TargetView | None) -> list[Child]:
    if seen is None:
        return [words.UNKNOWN, words.UNKNOWN, words.UNKNOWN]
    up = seen.uptime
    return [words.percent(up.day), words.percent(up.week), words.percent(up.month)]


def _by_name(view: LiveSnapshot) -> dict[str, TargetView]:
    return {each.name: each for each in view.health.targets} if view.health is not None else {}
