"""``sparkctl home``: the model that comes back by itself, and what it waits for."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell

BLOCKED = 1
"""Exit code when a person has to do something first."""


@click.command()
@AS_JSON
@click.pass_context
def home(context: click.Context, as_json: bool) -> None:
    """Show whether the home model is loaded, comes back, or cannot."""
    found = GatewayClient(gateway_url()).get("/api/home")
    tell(found, as_json, render)
    if found["state"] == "blocked":
        context.exit(BLOCKED)


def render(found: dict[str, Any]) -> str:
    """Return the state in one or two lines."""
    if found["state"] == "off":
        return "no home model is set; HOME_MODEL names one"
    lines = [f"{found['model']} ({found['state'].replace('_', ' ')}): {found['sentence']}"]
    if found.get("next_try_at"):
        lines.append(f"next try: {found['next_try_at']}")
    return "\n".join(lines)
