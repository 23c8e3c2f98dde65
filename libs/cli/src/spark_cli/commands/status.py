"""``sparkctl status``: is everything well, and what is loaded?"""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, gigabytes, table

_RUNTIME_WORDS = {
    "unknown": "not looked at yet",
    "idle": "no model is loaded",
    "starting": "starting",
    "serving": "serving",
    "degraded": "loaded, but its answers are not well",
    "unreachable": "cannot be reached",
}


@click.command()
@AS_JSON
def status(as_json: bool) -> None:
    """Show what is loaded, the Sparks, and the parts of spark-control."""
    document = GatewayClient(gateway_url()).get("/api/status")
    tell(document, as_json, render)


def render(document: dict[str, Any]) -> str:
    """Return the page a person reads."""
    lines = []
    runtime = document.get("runtime")
    if runtime is None:
        lines.append("model    nobody knows: the swapper does not answer")
    else:
        model = runtime.get("served_name") or runtime.get("model") or ""
        words = _RUNTIME_WORDS.get(runtime["state"], runtime["state"])
        lines.append(f"model    {' '.join((model, words)).strip()}")
    swap = document.get("swap")
    if swap is not None:
        left = swap.get("eta_seconds")
        eta = f", about {duration(left)} left" if left is not None else ""
        lines.append(f"swap     {swap['model']}: {swap['phase']}{eta} ({swap['id']})")
    bus = document["bus"]
    lines.append(f"bus      {'connected' if bus['connected'] else bus.get('detail') or 'away'}")
    watched = {each["name"]: each["state"] for each in document.get("targets") or []}
    rows = [("spark", "state", "memory free", "disk free", "")]
    rows += [
        (
            host["name"],
            watched.get(host["name"], host["state"]),
            gigabytes(host.get("memory_available_bytes")),
            gigabytes(host.get("disk_free_bytes")),
            host.get("detail") or "",
        )
        for host in document.get("hosts") or []
    ]
    lines += ["", table(rows)]
    services = [each for each in document.get("targets") or [] if each["kind"] != "host"]
    if services:
        head = ("service", "state", "uptime of 30 days", "")
        lines += ["", table([head, *map(_service, services)])]
    elif document.get("watched") is False:
        lines += ["", "services nobody knows: health does not answer"]
    parts = [(part["name"], part["state"]) for part in document.get("components") or []]
    if parts:
        lines += ["", table([("part", "state"), *parts])]
    return "\n".join(lines)


def _service(view: dict[str, Any]) -> tuple[str, ...]:
    state = view["state"]
    if view.get("flapping"):
        state += ", flapping"
    if view.get("maintenance"):
        state += ", maintenance"
    percent = (view.get("uptime") or {}).get("month")
    uptime = "" if percent is None else f"{percent:g} %"
    return (view["name"], state, uptime, view.get("reason") or "")
