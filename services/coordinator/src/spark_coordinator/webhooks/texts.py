"""What a person reads of each event: one title and one or two sentences, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue, ValidationError

from spark_common import events
from spark_common.events import EVENTS, Event


@dataclass(frozen=True)
class Words:
    """A title and a text, both plain."""

    title: str
    text: str


def words_of(kind: str, facts: Mapping[str, JsonValue]) -> Words:
    """Return the words of an event; a newer one, or one in another shape, is told by its name."""
    if kind == "webhook.test":
        return Words("Test from spark-control", "This target works: you pressed the test button.")
    found = _BY_TYPE.get(kind)
    if found is not None:
        message, say = found
        try:
            return say(message.model_validate(facts))
        except ValidationError:
            pass
    return Words(kind, f"spark-control tells: {kind}.")


def _swap_complete(event: events.SwapComplete) -> Words:
    title = f"{event.model} is ready"
    text = f"The switch to {event.model} took {_span(event.total_seconds)}"
    text += f", asked for by {event.requested_by}."
    if event.degraded:
        title = f"{event.model} answers badly"
        text += f" But: {_sentence(event.degraded)}"
    return Words(title, text)


def _swap_failed(event: events.SwapFailed) -> Words:
    how = {"failed": "failed", "cancelled": "was cancelled", "rolled_back": "was rolled back"}
    serving = f"{event.serving} is serving." if event.serving else "No model is serving."
    return Words(
        f"The switch to {event.model} {how[event.outcome]}",
        f"{_sentence(event.cause.sentence)} {serving}",
    )


def _acquired(event: events.LockAcquired) -> Words:
    reason = f" ({event.reason})" if event.reason else ""
    return Words(
        f"{event.holder} reserved the cluster",
        f"{event.holder} holds it until {_time(event.expires_at)}{reason}.",
    )


def _extended(event: events.LockExtended) -> Words:
    return Words(
        f"{event.holder} keeps the cluster longer",
        f"The reservation now ends at {_time(event.expires_at)}.",
    )


def _expiring(event: events.LockExpiring) -> Words:
    waiting = f" {event.waiting} waiting." if event.waiting else ""
    return Words(
        f"The reservation of {event.holder} ends soon",
        f"It ends in {_span(event.remaining_seconds)}, at {_time(event.expires_at)}.{waiting}",
    )


def _released(event: events.LockReleased) -> Words:
    return Words(
        f"{event.holder} gave the cluster back",
        f"It was reserved for {_span(event.held_seconds)}.",
    )


def _expired(event: events.LockExpired) -> Words:
    return Words(
        f"The reservation of {event.holder} is over",
        f"It lasted {_span(event.held_seconds)}. What still runs may finish first.",
    )


def _forced(event: events.LockForced) -> Words:
    did = {
        "release": "ended the reservation of",
        "take": "took the cluster from",
        "swap": "switched the model during the reservation of",
    }
    return Words(
        f"{event.requested_by} {did[event.action]} {event.holder}",
        f"{event.holder} had it for {_span(event.held_seconds)}.",
    )


def _freed(event: events.LockFreed) -> Words:
    cut = " What was not done in time was cut off." if event.cut else ""
    return Words(
        "The cluster is free", f"Nothing of the time of {event.holder} runs any more.{cut}"
    )


def _queued(event: events.LockQueued) -> Words:
    eta = f", at the latest in {_span(event.eta_seconds)}" if event.eta_seconds is not None else ""
    return Words(
        f"{event.holder} waits for the cluster", f"It is number {event.position} in line{eta}."
    )


def _line(event: events.LockQueueChanged) -> Words:
    names = ", ".join(waiter.holder for waiter in event.queue[:5])
    return Words(
        "The line for the cluster changed",
        f"{len(event.queue)} waiting: {names}." if names else "Nobody waits any more.",
    )


def _granted(event: events.LockGranted) -> Words:
    return Words(
        f"{event.holder} may have the cluster now",
        f"Not taken up by {_time(event.take_up_by)}, it passes on to the next in line.",
    )


def _dropped(event: events.LockDropped) -> Words:
    why = {
        "left": "It gave up its place.",
        "disappeared": "It was not heard of any more.",
        "waited_out": "Its waiting time was over.",
        "not_taken_up": "It did not take up the reservation in time.",
    }
    return Words(f"{event.holder} left the line", why[event.why])


def _yield(event: events.LockYieldRequested) -> Words:
    by = f" by {_time(event.by)}" if event.by else ""
    note = f" {_sentence(event.note)}" if event.note else ""
    return Words(
        f"{event.requested_by} asks {event.holder} for the cluster",
        f"{event.holder} is asked to release it{by}; nothing is taken away.{note}",
    )


def _registered(event: events.ScheduleRegistered) -> Words:
    did = "changed" if event.replaced else "registered"
    following = f"It runs next at {_time(event.next_at)}." if event.next_at else "It does not run."
    return Words(f"Schedule {event.name} was {did}", f"{following} Its owner is {event.owner}.")


def _removed(event: events.ScheduleRemoved) -> Words:
    return Words(f"Schedule {event.name} was removed", f"{event.requested_by} removed it.")


def _due(event: events.ScheduleDue) -> Words:
    model = f" It needs {event.model}." if event.model else ""
    return Words(f"{event.name} is due", f"Its time was {_time(event.nominal)}.{model}")


def _finished(event: events.ScheduleFinished) -> Words:
    text = _sentence(event.message) if event.message else f"It ended as {event.outcome}."
    return Words(f"{event.name}: {event.outcome}", f"{text} It took {_span(event.total_seconds)}.")


def _missed(event: events.ScheduleMissed) -> Words:
    return Words(
        f"{event.name} was missed", f"It was due {_time(event.nominal)}. {_sentence(event.reason)}"
    )


def _transition(event: events.HealthTransition) -> Words:
    lasted = f" for {_span(event.before_seconds)}" if event.before_seconds is not None else ""
    before = f" It was {event.before}{lasted}." if event.before else ""
    reason = f" {_sentence(event.reason)}" if event.reason else ""
    return Words(
        f"{event.label or event.target} is {event.after}",
        f"The {event.kind} {event.target} is {event.after} since {_time(event.since)}."
        f"{before}{reason}",
    )


_DID = {
    "start": "started",
    "stop": "stopped",
    "restart": "restarted",
    "remove": "taken off the list",
    "update": "updated",
    "wake": "sent a packet that wakes it",
    "shutdown": "shut down",
    "reboot": "started anew",
}


def _action(event: events.ServiceAction) -> Words:
    did = _DID[event.action]
    where = f" on {event.host}" if event.host else ""
    who = "by itself" if event.automatic else f"by {event.requested_by}"
    reason = f" {_sentence(event.reason)}" if event.reason else ""
    if event.decision != "acted":
        stuck = f"{event.service}{where} is stuck.{reason} {_sentence(event.message)}".strip()
        suggested = event.decision == "suggested"
        return Words(
            f"{event.service} is stuck: {'restart it' if suggested else 'restarts did not help'}",
            stuck,
        )
    outcome = "" if event.ok else f" It did not work. {_sentence(event.message)}"
    title = f"{event.service} was {did}" if event.ok else f"{event.service} could not be {did}"
    return Words(title, f"{event.service}{where}: {event.action}, {who}.{reason}{outcome}".strip())


_TABLE: Mapping[type[Event], Callable[[Any], Words]] = {
    events.SwapComplete: _swap_complete,
    events.SwapFailed: _swap_failed,
    events.LockAcquired: _acquired,
    events.LockExtended: _extended,
    events.LockExpiring: _expiring,
    events.LockReleased: _released,
    events.LockExpired: _expired,
    events.LockForced: _forced,
    events.LockFreed: _freed,
    events.LockQueued: _queued,
    events.LockQueueChanged: _line,
    events.LockGranted: _granted,
    events.LockDropped: _dropped,
    events.LockYieldRequested: _yield,
    events.ScheduleRegistered: _registered,
    events.ScheduleRemoved: _removed,
    events.ScheduleDue: _due,
    events.ScheduleFinished: _finished,
    events.ScheduleMissed: _missed,
    events.HealthTransition: _transition,
    events.ServiceAction: _action,
}
_BY_TYPE = {message.type: (message, _TABLE[message]) for message in EVENTS if message in _TABLE}


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z}".strip()


def _span(seconds: float) -> str:
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _sentence(text: str) -> str:
    """Begin with a capital and end with a stop, whatever the teller wrote."""
    plain = text.strip()
    if not plain:
        return plain
    whole = plain[0].upper() + plain[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
