"""``sparkctl accountability``: who held the cluster, how much of it idle, who waited for them."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table

_MINUTE = 60


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, 400),
    default=7,
    show_default=True,
    help="The last days, today included.",
)
@AS_JSON
def accountability(days: int, as_json: bool) -> None:
    """Show for every holder: time held, idle of it, swaps, and waiting imposed on others."""
    found = GatewayClient(gateway_url()).get("/api/accountability", days=days)
    tell(found, as_json, render)


def render(found: dict[str, Any]) -> str:
    """Return a table of holders, the one who held longest first."""
    span = f"{found['since']} to {found['until']} (UTC)"
    lines = [f"warning: {sentence}" for sentence in found.get("problems", [])]
    if not found["holders"]:
        return "\n".join([*lines, f"{span}: nobody held or swapped anything"])
    heading = ("HOLDER", "LEASES", "HELD", "IDLE", "SWAPS", "IMPOSED ON OTHERS")
    lines += [
        span,
        table([heading, *map(_row, found["holders"])]),
        f"free: {_minutes(found['free_minutes'])}",
    ]
    return "\n".join(lines)


def _row(account: dict[str, Any]) -> tuple[str, ...]:
    held, idle = account["held_minutes"], account["idle_minutes"]
    share = f" ({round(100 * idle / held)} %)" if held else ""
    return (
        account["holder"],
        str(account["leases"]),
        _minutes(held),
        _minutes(idle) + share,
        str(account["swaps"]),
        _minutes(account["imposed_minutes"]),
    )


def _minutes(minutes: float) -> str:
    return duration(minutes * _MINUTE)
