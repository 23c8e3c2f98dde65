"""``sparkctl events``: everything that happens, as it happens."""

import json
from contextlib import suppress
from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document per line.")
@click.option("--type", "kinds", multiple=True, help="Only these events, for example swap.failed.")
def events(as_json: bool, kinds: tuple[str, ...]) -> None:
    """Follow the events of the cluster until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        for event in GatewayClient(gateway_url()).events("/api/live"):
            if kinds and event.name not in kinds:
                continue
            if as_json:
                click.echo(json.dumps({"event": event.name, "id": event.id, "data": event.body}))
            else:
                click.echo(f"{event.name:<15} {summary(event.name, event.body)}")


def summary(name: str, body: dict[str, Any]) -> str:
    """Return one line about an event."""
    match name:
        case "swap.progress":
            percent = body.get("percent")
            share = f" {percent:.0f} %" if percent is not None else ""
            text = body.get("message") or " / ".join(body.get("lines", []))
            return f"{body['model']} {body['phase']}{share} {text}".rstrip()
        case "swap.complete":
            return f"{body['model']} serves after {body['total_seconds']:.0f} s"
        case "swap.failed":
            return f"{body['model']} {body['outcome']}: {body['cause']['sentence']}"
        case "bus":
            return "connected" if body["connected"] else str(body.get("detail") or "away")
        case "snapshot":
            return "the state as it is now"
        case _:
            return "changed"
