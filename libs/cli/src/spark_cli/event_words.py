"""One line about an event, in the words of the page."""

from typing import Any

from spark_cli.words import duration


def summary(name: str, body: dict[str, Any]) -> str:
    """Return what happened; ``body`` is the event's own data."""
    kind, _, what = name.partition(".")
    match kind:
        case "swap":
            return _swap(what, body)
        case "lock":
            return _lease(what, body)
        case "schedule":
            return _schedule(what, body)
        case "download" | "update":
            return _job(what, body)
        case "health" if what == "report":
            how = "well" if body["ok"] else f"badly: {body.get('error') or 'no reason given'}"
            return f"{body['service']} served {body.get('source') or 'an app'} {how}"
        case "health" if what == "checked":
            return f"{body['target']} did a small real job: {body['state']}, {body['sentence']}"
        case "health":
            return f"{body['target']} is {body['to']}: {body.get('reason') or 'no reason given'}"
        case "service":
            how = "well" if body["ok"] else f"badly: {body.get('message') or 'no reason given'}"
            return f"{body['service']} {body['action']} by {body['requested_by']} ended {how}"
        case "bus":
            return "connected" if body["connected"] else str(body.get("detail") or "away")
        case "snapshot":
            return "the state as it is now"
        case "reset":
            return "events may be missing here: what was before is not kept any more"
        case _:
            return "changed"


def _swap(what: str, body: dict[str, Any]) -> str:
    match what:
        case "progress":
            percent = body.get("percent")
            share = f" {percent:.0f} %" if percent is not None else ""
            text = body.get("message") or " / ".join(body.get("lines", []))
            return f"{body['model']} {body['phase']}{share} {text}".rstrip()
        case "complete":
            return f"{body['model']} serves after {body['total_seconds']:.0f} s"
        case "failed":
            return f"{body['model']} {body['outcome']}: {body['cause']['sentence']}"
        case "rejected":
            return f"{body['model']} for {body['requested_by']} refused: {body['message']}"
        case _:
            return f"{body['model']} for {body['requested_by']}"


def _lease(what: str, body: dict[str, Any]) -> str:
    if what == "queue":
        line = ", ".join(each["holder"] for each in body.get("queue", []))
        return f"in line: {line or 'nobody'}"
    more = {
        "acquired": lambda: f"until {body['expires_at']}",
        "extended": lambda: f"until {body['expires_at']}",
        "expiring": lambda: f"ends in {duration(body['remaining_seconds'])}",
        "forced": lambda: f"by {body['requested_by']}",
        "queued": lambda: f"at place {body['position']}",
        "granted": lambda: f"to be taken up by {body['take_up_by']}",
        "dropped": lambda: str(body["why"]).replace("_", " "),
        "yield_requested": lambda: f"by {body['requested_by']} {body.get('note', '')}".rstrip(),
    }
    said = more[what]() if what in more else ""
    return f"{body['holder']} {said}".rstrip()


def _schedule(what: str, body: dict[str, Any]) -> str:
    said = {
        "finished": lambda: f"{body['outcome']} after {duration(body['total_seconds'])}",
        "missed": lambda: str(body["reason"]),
        "due": lambda: f"for {body['nominal']}",
    }
    return f"{body['name']} {said[what]() if what in said else ''}".rstrip()


def _job(what: str, body: dict[str, Any]) -> str:
    about = body.get("repo") or body.get("direction") or body.get("id", "")
    if what == "progress":
        return f"{about} {body.get('step', '')} {body.get('message', '')}".rstrip()
    return f"{about}: {body.get('message') or what}"
