"""``sparkctl endpoints``: the direct address of every service."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table


@click.command()
@AS_JSON
def endpoints(as_json: bool) -> None:
    """Show where every service is, for clients that go there without the gateway."""
    tell(GatewayClient(gateway_url()).get("/api/endpoints"), as_json, render)


def render(found: dict[str, Any]) -> str:
    """Return one line per service."""
    rows = [
        (
            one["name"],
            one.get("openai_base_url") or one["url"],
            "hidden" if one["disabled"] else one.get("state") or "not watched",
        )
        for one in found["endpoints"]
    ]
    return table([("SERVICE", "ADDRESS", "STATE"), *rows])
