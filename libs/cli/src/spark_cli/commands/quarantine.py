"""``sparkctl quarantine``: models that took a Spark down, and the way out."""

import getpass
from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url


@click.group(invoke_without_command=True)
@click.pass_context
def quarantine(context: click.Context) -> None:
    """List the models that may not be loaded, because a load of them took a Spark down."""
    if context.invoked_subcommand is None:
        click.echo(render(GatewayClient(gateway_url()).get("/api/models")))


@quarantine.command()
@click.argument("model")
def clear(model: str) -> None:
    """Let MODEL be loaded again."""
    who = f"{getpass.getuser()} (sparkctl)"
    client = GatewayClient(gateway_url())
    click.echo(cleared(client.delete(f"/api/models/{model}/quarantine", {"requested_by": who})))


def render(menu: dict[str, Any]) -> str:
    """Return the quarantined models of a menu."""
    held = [model for model in menu["models"] if model.get("quarantine")]
    lines = [f"{model['key']}: {model['quarantine']['reason']}" for model in held]
    return "\n".join(lines) or "no model is in quarantine"


def cleared(answer: dict[str, Any]) -> str:
    """Say what was cleared."""
    if answer.get("was") is None:
        return f"{answer['model']} was not in quarantine"
    return f"{answer['model']} may be loaded again; it was held because: {answer['was']['reason']}"
