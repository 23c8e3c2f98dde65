"""``sparkctl plan``: what a swap would do, without doing it."""

from typing import Any

import click

from spark_cli.asking import address, said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table

BLOCKED = 1
"""Exit code when something speaks against the swap."""
_GIB = 1024**3


@click.command()
@click.argument("model")
@AS_JSON
@click.pass_context
def plan(context: click.Context, model: str, as_json: bool) -> None:
    """Show what a swap to MODEL would stop, need and do; touches nothing."""
    place = address("/api/swap", model, "plan")
    asked = {"requested_by": who_asks()}
    found = GatewayClient(gateway_url()).post(place, asked, said_along())
    tell(found, as_json, render)
    if found["blockers"]:
        context.exit(BLOCKED)


def render(found: dict[str, Any]) -> str:
    """Return the plan for people."""
    running = found.get("in_flight")
    answers = "" if not running else f", {running} being answered now"
    lines = [
        f"{found['model_name']} ({found['served_name']})",
        f"stops: {found['stops'] + answers if found.get('stops') else 'nothing'}",
        f"takes: {duration(found.get('eta_seconds'))}; "
        f"back again: {duration(found.get('back_seconds'))}",
    ]
    if found["nodes"]:
        rows = [("", "available", "freed", "needed", "left", "")]
        rows += [
            (
                node["label"],
                *(_gib(node.get(f"{kind}_bytes")) for kind in _COLUMNS),
                node["verdict"],
            )
            for node in found["nodes"]
        ]
        lines.append(table(rows))
    for cause in found["blockers"]:
        lines += [f"stands in the way: {cause['sentence']}", f"  what to do: {cause['action']}"]
    lines += [f"not certain: {doubt}" for doubt in found["doubts"]]
    lines += [f"  - {step}" for step in found["steps"]]
    return "\n".join(lines)


_COLUMNS = ("available", "freed", "needed", "headroom")


def _gib(size: int | None) -> str:
    return "-" if size is None else f"{size / _GIB:.1f} GB"
