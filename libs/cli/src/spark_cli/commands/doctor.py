"""``sparkctl doctor``: what is missing on this machine or wrong with what runs, and what to do."""

import asyncio
import os
import sys
from collections.abc import Iterator

import click

from spark_cli.addresses import problems
from spark_cli.gateway_client import GatewayClient, RefusedError, gateway_url
from spark_cli.simulator import SimulatedSparks
from spark_common.embedded import MissingServerError
from spark_common.embedded.binaries import NATS, REDIS, Wanted, find_binary

_PATIENCE_SECONDS = 15.0


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Look at this machine and at the running product; exit 1 when something needs doing."""
    found = [*_machine(), *_product()]
    for well, text in found:
        word = click.style("well ", fg="green") if well else click.style("wrong", fg="red")
        click.echo(f"{word}  {text}")
    if not all(well for well, _ in found):
        context.exit(1)


def _machine() -> Iterator[tuple[bool, str]]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)"
    for wanted in (NATS, REDIS):
        yield asyncio.run(_server(wanted))


async def _server(wanted: Wanted) -> tuple[bool, str]:
    try:
        return True, f"{wanted.program} at {await find_binary(wanted)}"
    except MissingServerError as error:
        return False, str(error)


def _product() -> Iterator[tuple[bool, str]]:
    url = gateway_url()
    try:
        status = GatewayClient(url, patience_seconds=_PATIENCE_SECONDS).get("/api/status")
    except RefusedError as error:
        if os.environ.get("SPARK_CONTROL_URL", "").strip():
            yield False, error.message
            return
        yield True, f"nothing runs at {url} ({error.message.splitlines()[0]})"
        taken = problems(SimulatedSparks().listeners())
        yield not taken, taken[0] if taken else "the demo's addresses and ports are free"
        return
    yield True, f"spark-control runs at {url}"
    bus = status["bus"]
    yield bus["connected"], "event bus " + ("connected" if bus["connected"] else str(bus["detail"]))
    for host in status.get("hosts") or []:
        detail = f": {host['detail']}" if host.get("detail") else ""
        yield host["state"] == "online", f"{host['label']} is {host['state']}{detail}"
    for part in status.get("components") or []:
        yield part["state"] == "up", f"{part['name']} is {part['state']}"
