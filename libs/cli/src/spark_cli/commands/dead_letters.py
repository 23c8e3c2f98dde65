"""``sparkctl dead-letters``: messages of the bus that no worker could handle."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell


@click.command("dead-letters")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--before", type=click.IntRange(1), default=None, help="Only older ones than this.")
@AS_JSON
def dead_letters(limit: int, before: int | None, as_json: bool) -> None:
    """List what nobody could handle in the last thirty days, and what to do about it."""
    query: dict[str, str | int | bool | list[str]] = {"limit": limit}
    if before is not None:
        query["before"] = before
    tell(GatewayClient(gateway_url()).get("/api/dead-letters", **query), as_json, _render)


def _render(page: dict[str, Any]) -> str:
    if not page["letters"]:
        return "no dead letters"
    shown = [_letter(letter) for letter in page["letters"]]
    if page["older_before"] is not None:
        shown.append(f"older ones: sparkctl dead-letters --before {page['older_before']}")
    return "\n\n".join(shown)


def _letter(letter: dict[str, Any]) -> str:
    at = letter["at"][:19].replace("T", " ")
    subject = letter["subject"] or "not kept any more"
    known = f", id {letter['message_id']}" if letter["message_id"] else ""
    return (
        f"{at}  {letter['stream']} {letter['message_number']}  {subject}{known}\n"
        f"  {letter['sentence']}\n"
        f"  what to do: {letter['action']}"
    )
