"""``sparkctl key``: who may use ``/v1`` and ``/api``."""

import json
from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.words import table

SCOPES = ("infer", "admin")
_PATH = "/api/keys"
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

_as_json = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


@click.group()
@click.pass_context
def key(context: click.Context) -> None:
    """Manage API keys. They are asked for once API_KEYS is on in the settings."""
    context.obj = GatewayClient(gateway_url())


@key.command("list")
@_as_json
@click.pass_obj
def list_keys(client: GatewayClient, as_json: bool) -> None:
    """Show all keys, what they may, and when they were used last."""
    found = client.get(_PATH)
    if as_json:
        click.echo(json.dumps(found))
    elif not found["keys"]:
        click.echo("there are no API keys; sparkctl key add NAME makes one")
    else:
        head = ("id", "name", "opens", "limits", "models", "expires", "used", "made by")
        click.echo(table([head, *(_row(one) for one in found["keys"])]))


@key.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable.")
@click.option("--requests", default=0, type=click.IntRange(0), help="A minute; 0 is no limit.")
@click.option("--tokens", default=0, type=click.IntRange(0), help="A minute; 0 is no limit.")
@click.option("--at-once", default=0, type=click.IntRange(0), help="What is more waits.")
@click.option("--weight", default=1, type=click.IntRange(1, 100), help="Share in the queue.")
@click.option("--model", "models", multiple=True, help="Only this one. Repeatable.")
@click.option("--expires", default=None, type=click.DateTime(_MOMENTS), help="In UTC.")
@_as_json
@click.pass_obj
def add(
    client: GatewayClient,
    name: str,
    scopes: tuple[str, ...],
    requests: int,
    tokens: int,
    at_once: int,
    weight: int,
    models: tuple[str, ...],
    expires: Any,
    as_json: bool,
) -> None:
    """Make a key for NAME and print it: this is the only time it is shown."""
    form: dict[str, Any] = {
        "name": name,
        "scopes": list(scopes) or ["infer"],
        "requests_per_minute": requests,
        "tokens_per_minute": tokens,
        "concurrency": at_once,
        "weight": weight,
        "models": list(models),
        "requested_by": who_asks(),
    }
    if expires is not None:
        form["expires_at"] = f"{expires.isoformat(timespec='seconds')}Z"
    made = client.post(_PATH, form)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(made["key"])
    click.echo(f"key {made['id']} of {made['name']}; it is not shown again", err=True)


@key.command()
@click.argument("id")
@click.pass_obj
def rm(client: GatewayClient, id: str) -> None:
    """Revoke the key ID; what it has under way is cut off."""
    client.delete(address(_PATH, id), {"requested_by": who_asks()})
    click.echo(f"key {id} is revoked")


@key.command()
@click.argument("id")
@click.pass_obj
def off(client: GatewayClient, id: str) -> None:
    """Let the key ID open nothing until it is switched on again."""
    _switch(client, id, on=False)


@key.command()
@click.argument("id")
@click.pass_obj
def on(client: GatewayClient, id: str) -> None:
    """Let the key ID open again what it opened."""
    _switch(client, id, on=True)


def _switch(client: GatewayClient, key_id: str, *, on: bool) -> None:
    form = {"enabled": on, "requested_by": who_asks()}
    view = client.patch(address(_PATH, key_id), form)
    click.echo(f"key {key_id} of {view['name']} is {'on' if on else 'off'}")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["id"],
        one["name"],
        ", ".join(one["scopes"]) if one["enabled"] else "nothing: off",
        _limits(one),
        ", ".join(one["models"]) or "all",
        one["expires_at"] or "never",
        one["last_used_on"] or "never",
        one["created_by"],
    )


def _limits(one: dict[str, Any]) -> str:
    said = [
        f"{one[field]} {word}"
        for field, word in (
            ("requests_per_minute", "requests/min"),
            ("tokens_per_minute", "tokens/min"),
            ("concurrency", "at once"),
        )
        if one[field]
    ]
    if one["weight"] != 1:
        said.append(f"weight {one['weight']}")
    return ", ".join(said) or "none"
