"""``sparkctl quarantine``: models that took a Spark down, and the way out."""

from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def quarantine(context: click.Context, as_json: bool) -> None:
    """List the models that may not be loaded, because a load of them took a Spark down."""
    if context.invoked_subcommand is None:
        menu = GatewayClient(gateway_url()).get("/api/models")
        held = {m["key"]: m["quarantine"] for m in menu["models"] if m.get("quarantine")}
        tell(held, as_json, render)


@quarantine.command()
@click.argument("model")
@AS_JSON
def clear(model: str, as_json: bool) -> None:
    """Let MODEL be loaded again."""
    place = address("/api/models", model, "quarantine")
    answer = GatewayClient(gateway_url()).delete(place, {"requested_by": who_asks()})
    tell(answer, as_json, cleared)


def render(quarantines: dict[str, dict[str, Any]]) -> str:
    """Return the models that are held, by their keys."""
    lines = [f"{key}: {held['reason']}" for key, held in quarantines.items()]
    return "\n".join(lines) or "no model is in quarantine"


def cleared(answer: dict[str, Any]) -> str:
    """Say what was cleared."""
    if answer.get("was") is None:
        return f"{answer['model']} was not in quarantine"
    return f"{answer['model']} may be loaded again; it was held because: {answer['was']['reason']}"
