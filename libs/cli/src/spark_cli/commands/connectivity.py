"""``sparkctl connectivity``: what went up and down, for how long, and what apps told."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table


@click.command()
@click.argument("target", required=False)
@click.option(
    "--hours",
    type=click.FloatRange(0, 2160, min_open=True),
    default=24.0,
    show_default=True,
    help="The last hours.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def connectivity(target: str | None, hours: float, limit: int, as_json: bool) -> None:
    """Show transitions of all hosts and services, or of TARGET, the newest first."""
    query: dict[str, str | int | bool | list[str]] = {"hours": f"{hours:g}", "limit": limit}
    if target is not None:
        query["target"] = target
    tell(GatewayClient(gateway_url()).get("/api/connectivity", **query), as_json, render)


def render(found: dict[str, Any]) -> str:
    """Return uptime, transitions and reports, each as a table."""
    lines = []
    if found["uptime"]:
        shares = ("TARGET", "STATE", "24 H", "7 D", "30 D")
        lines += [table([shares, *map(_uptime, found["uptime"])]), ""]
    if found["transitions"]:
        heading = ("SINCE", "TARGET", "FROM", "TO", "FOR", "REASON")
        lines.append(table([heading, *map(_transition, found["transitions"])]))
        if found.get("more"):
            lines.append("older ones are left out: see --limit")
    else:
        lines.append("nothing changed")
    if not found.get("complete", True):
        lines.append("the log is still being read; ask again in a moment")
    if found["reported"]:
        told = ("REPORTED BY APPS", "WELL", "FAILED", "LAST ERROR")
        lines += ["", table([told, *map(_reported, found["reported"])])]
    return "\n".join(lines)


def _uptime(row: dict[str, Any]) -> tuple[str, ...]:
    shares = (row["uptime"].get(window) for window in ("day", "week", "month"))
    shown = tuple("-" if share is None else f"{share:g} %" for share in shares)
    return (row["target"], row["state"], *shown)


def _transition(row: dict[str, Any]) -> tuple[str, ...]:
    lasting = duration(row["seconds"]) + ("" if row.get("until") else " so far")
    since = row["since"][:19].replace("T", " ")
    return since, row["target"], row["before"], row["after"], lasting, row["reason"]


def _reported(row: dict[str, Any]) -> tuple[str, ...]:
    return row["service"], str(row["ok"]), str(row["failed"]), row.get("last_error") or ""
