"""``sparkctl maintenance``: announce that something will be away."""

from typing import Any
from urllib.parse import quote

import click

from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table


@click.group(invoke_without_command=True)
@click.pass_context
def maintenance(context: click.Context) -> None:
    """Windows in which changes are noted and nobody is told of them."""
    if context.invoked_subcommand is None:
        context.invoke(list_windows)


@maintenance.command("list")
@AS_JSON
def list_windows(as_json: bool = False) -> None:
    """Show the windows that run or come."""
    tell(GatewayClient(gateway_url()).get("/api/maintenance"), as_json, render)


@maintenance.command()
@click.argument("target", default="all")
@click.option("--minutes", type=click.FloatRange(1, 10_080), default=60.0, show_default=True)
@click.option(
    "--at", "starts_at", default=None, help="When it begins (RFC 3339); now unless given."
)
@click.option("--reason", default="", help="For those who look.")
@AS_JSON
def begin(target: str, minutes: float, starts_at: str | None, reason: str, as_json: bool) -> None:
    """Announce maintenance of TARGET, a host or a service, or of all."""
    order: dict[str, Any] = {
        "target": target,
        "minutes": minutes,
        "reason": reason,
        "requested_by": who_asks(),
    }
    if starts_at is not None:
        order["starts_at"] = starts_at
    window = GatewayClient(gateway_url()).post("/api/maintenance", order)
    tell(window, as_json, lambda one: render({"windows": [one]}))


@maintenance.command()
@click.argument("id")
@AS_JSON
def end(id: str, as_json: bool) -> None:
    """End a window now, or call it off."""
    place = f"/api/maintenance/{quote(id, safe='')}"
    rest = GatewayClient(gateway_url()).delete(place, {"requested_by": who_asks()})
    tell(rest, as_json, render)


def render(found: dict[str, Any]) -> str:
    """Return one line per window."""
    if not found["windows"]:
        return "no maintenance is announced"
    rows = [
        (
            one["id"],
            one["target"],
            one["starts_at"][:16].replace("T", " "),
            one["ends_at"][:16].replace("T", " "),
            "now" if one["active"] else "later",
            one["requested_by"],
            one["reason"],
        )
        for one in found["windows"]
    ]
    return table([("ID", "TARGET", "FROM", "TO", "", "BY", "REASON"), *rows])
