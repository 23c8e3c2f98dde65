"""``sparkctl history``: which swaps there were, who asked, how long they took, how they ended."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table


@click.command()
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--model", default=None, help="Only swaps to this model (its key).")
@click.option("--before", default=None, help="Only swaps asked for before this time (RFC 3339).")
@AS_JSON
def history(limit: int, model: str | None, before: str | None, as_json: bool) -> None:
    """List swaps of the last ninety days, the newest first."""
    query: dict[str, str | int | bool] = {"limit": limit}
    if model is not None:
        query["model"] = model
    if before is not None:
        query["before"] = before
    swaps = GatewayClient(gateway_url()).get("/api/swap", **query)
    tell(swaps, as_json, lambda found: render(found["recent"], limit))


def render(recent: list[dict[str, Any]], limit: int) -> str:
    """Return a table of swaps, and how to see older ones when there may be some."""
    if not recent:
        return "no swaps"
    heading = ("ASKED FOR", "MODEL", "BY", "OUTCOME", "TOOK", "ID")
    shown = table([heading, *map(_row, recent)])
    if len(recent) == limit:
        shown += f"\nolder ones: sparkctl history --before {recent[-1]['created_at']}"
    return shown


def _row(swap: dict[str, Any]) -> tuple[str, ...]:
    phases = swap.get("phases", [])
    spent = [mark["seconds"] for mark in phases if mark.get("seconds") is not None]
    took = duration(sum(spent)) if swap.get("finished_at") else "-"
    outcome = swap["phase"].replace("_", " ")
    if swap.get("degraded"):
        outcome += ", degraded"
    elif swap.get("cause"):
        outcome += f": {swap['cause']['code']}"
    asked = swap["created_at"][:19].replace("T", " ")
    return asked, swap["model"], swap["requested_by"], outcome, took, swap["id"]
