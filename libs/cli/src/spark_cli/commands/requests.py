"""``sparkctl requests``: who asked what of which model, how long it took and how it ended."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table


@click.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--from", "since", default=None, help="Not before this time (RFC 3339).")
@click.option("--to", "until", default=None, help="Before this time (RFC 3339).")
@click.option("--model", default=None, help="Only of this model.")
@click.option("--status", default=None, help="404, 5xx, or none.")
@click.option("--caller", default=None, help="Only of this key, user or address.")
@click.option("--find", "q", default=None, help="Part of id, path, model, caller or client.")
@click.option("--before", type=click.IntRange(1), default=None, help="Only older ones than this.")
@AS_JSON
def requests(limit: int, as_json: bool, **given: str | int | None) -> None:
    """List requests under /v1 of the last thirty days, the newest first."""
    names = {"since": "from", "until": "to"}
    query: dict[str, str | int | bool | list[str]] = {"limit": limit}
    query |= {names.get(name, name): value for name, value in given.items() if value is not None}
    tell(GatewayClient(gateway_url()).get("/api/requests", **query), as_json, _render)


def _render(page: dict[str, Any]) -> str:
    shown = [*page["problems"]]
    if page["requests"]:
        heading = ("WHEN", "STATUS", "END", "MODEL", "CALLER", "TOKENS", "TOOK", "ID")
        shown.append(table([heading, *map(_row, page["requests"])]))
    else:
        shown.append("no requests")
    if page["older_before"] is not None:
        shown.append(f"older ones: sparkctl requests --before {page['older_before']}")
    return "\n".join(shown)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    caller = row["key"] or row["user"] or row["address"] or "-"
    took = f"{row['total_ms'] / 1000:.2f} s"
    if row["queue_ms"]:
        took += f" ({row['queue_ms'] / 1000:.2f} s waiting)"
    status = "-" if row["status"] is None else str(row["status"])
    at = row["at"][:19].replace("T", " ")
    end = row["end"].replace("_", " ")
    return at, status, end, row["model"] or "-", caller, _tokens(row), took, row["id"]


def _tokens(row: dict[str, Any]) -> str:
    counts = [row["prompt_tokens"], row["completion_tokens"]]
    if counts == [None, None]:
        return "-"
    about = "~" if row["tokens_estimated"] else ""
    return "+".join("?" if count is None else f"{about}{count}" for count in counts)
