"""What is loaded and whether all is well, in one line: the same order as the dashboard's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from spark_common.contracts.models import Menu
from spark_common.contracts.swaps import SwapView
from spark_gateway.status_page.words import listed, sentence, span, utc
from spark_gateway.streams.board import LiveSnapshot

Tone: TypeAlias = Literal["ok", "now", "warn", "bad", "idle"]
PHASES: Final = {
    "queued": "waiting for its turn",
    "preflight": "checks",
    "draining": "finishing answers",
    "stopping": "stopping the old model",
    "launching": "starting",
    "loading": "loading weights",
    "warming": "first words",
    "rolling_back": "bringing the old model back",
}


@dataclass(frozen=True)
class Line:
    """A state in a word, and a sentence about it."""

    tone: Tone
    word: str
    text: str = ""


def overall(view: LiveSnapshot, now: datetime) -> Line:
    """What a reader should know first."""
    if not view.bus.connected:
        return Line("bad", "Event bus is down", "Chat keeps working; swaps are paused.")
    if view.menu is None:
        away = "The part that starts models does not answer."
        return Line("bad", "No news from the Sparks", away)
    if not view.menu.hosts:
        return Line("idle", "Not set up", "No Spark is known yet.")
    if view.swaps is not None and view.swaps.current is not None:
        return Line("now", "Swapping", swapping(view.swaps.current))
    worst = next(troubles(view, view.menu), None)
    if worst is not None:
        return worst
    if view.lease is not None and view.lease.state != "free":
        return Line("warn", "Reserved", reserved(view, now))
    return _calm(view.menu)


def swapping(swap: SwapView) -> str:
    """What runs, how far it is, and how much longer."""
    phase = PHASES.get(swap.phase.value, swap.phase.value)
    share = f", {int(swap.percent)} %" if swap.percent is not None else ""
    left = f", about {span(swap.eta_seconds)} left" if swap.eta_seconds is not None else ""
    return f"{swap.model_name}: {phase}{share}{left}."


def reserved(view: LiveSnapshot, now: datetime) -> str:
    """Who has the Sparks, why, and until when; empty when nobody has."""
    lease = view.lease
    if lease is None or lease.state == "free":
        return ""
    if lease.state == "draining":
        return "A reservation ended; what it began is being finished."
    why = f", {lease.reason}" if lease.reason else ""
    until = f", until {utc(lease.expires_at)}" if lease.expires_at is not None else ""
    line = f" {len(lease.queue)} in line." if lease.queue else ""
    who = lease.holder or "somebody"
    return sentence(f"{who}{why}{until}") + line


def troubles(view: LiveSnapshot, menu: Menu) -> Iterator[Line]:
    """Everything that is not well, worst first."""
    targets = view.health.targets if view.health is not None else []
    silent = {each.name for each in targets if each.kind == "host" and each.level == "down"}
    down = [each for each in menu.hosts if each.state == "unreachable" or each.name in silent]
    if down:
        yield Line("bad", f"{listed([each.label for each in down])} cannot be reached")
    runtime = menu.runtime
    if runtime.state == "unreachable":
        yield Line("bad", "The model server does not answer", sentence(runtime.detail or ""))
    elif runtime.state == "degraded":
        yield Line("bad", "The loaded model answers badly", sentence(runtime.detail or ""))
    for each in targets:
        own = each.kind != "host" and each.name != "vllm" and not each.because
        if own and not each.maintenance and each.level in ("down", "degraded"):
            tone: Tone = "bad" if each.level == "down" else "warn"
            what = "does not answer" if each.level == "down" else "is not well"
            yield Line(tone, f"{each.label} {what}", sentence(each.reason))
    parts = [each.name for each in view.components if each.state == "down"]
    if parts:
        word = "part does" if len(parts) == 1 else "parts do"
        yield Line("warn", f"{len(parts)} {word} not answer", sentence(listed(parts)))


def serving_name(menu: Menu) -> str | None:
    """The loaded model by its name on the menu, else by the one it is served under."""
    if menu.runtime.state not in ("serving", "degraded"):
        return None
    known = {each.key: each.name for each in menu.models}
    return known.get(menu.runtime.model or "") or menu.runtime.served_name


def _calm(menu: Menu) -> Line:
    name = serving_name(menu)
    if menu.runtime.state == "starting":
        return Line("now", "Starting", sentence(menu.runtime.detail or "a model is starting"))
    if menu.runtime.state == "unknown":
        return Line("idle", "Looking", "The Sparks are being looked at.")
    if name is None:
        return Line("idle", "Idle", "No model is loaded.")
    return Line("ok", "All well", f"{name} is ready.")
