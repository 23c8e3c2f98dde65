"""``sparkctl events``: everything that happened and happens, without a gap."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import click

from spark_cli.event_words import summary
from spark_cli.gateway_client import GatewayClient, gateway_url

_PLACE = "/api/events"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document per line.")
@click.option(
    "--type", "kinds", multiple=True, help="Only these, for example swap.failed or 'lock.*'."
)
@click.option("--all", "everything", is_flag=True, help="Begin with the oldest that is kept.")
@click.option("--after", help="Begin behind this cursor: the id of an event, or `next` of a page.")
@click.option("--no-follow", is_flag=True, help="End with what is there; needs --all or --after.")
@click.option("--live", is_flag=True, help="What the dashboard sees: progress too, kept for a day.")
def events(
    as_json: bool,
    kinds: tuple[str, ...],
    everything: bool,
    after: str | None,
    no_follow: bool,
    live: bool,
) -> None:
    """Follow what happens from now on until Ctrl-C: swaps, the lease, schedules, health, jobs."""
    if sum((everything, after is not None, live)) > 1:
        raise click.UsageError("choose one of --all, --after and --live")
    if no_follow and not (everything or after):
        raise click.UsageError("--no-follow needs --all or --after")
    client = GatewayClient(gateway_url())
    with suppress(KeyboardInterrupt):
        if live:
            _follow_page(client, kinds, as_json)
        elif no_follow:
            _read(client, kinds, after, as_json)
        else:
            _follow(client, kinds, None if everything else after or _now(client), as_json)


def _now(client: GatewayClient) -> str:
    """Return the place of this moment: following from there has no gap, however it is cut."""
    return str(client.get(_PLACE, after="now")["next"])


def _follow(
    client: GatewayClient, kinds: tuple[str, ...], after: str | None, as_json: bool
) -> None:
    query = [("type", kind) for kind in kinds] + ([("after", after)] if after else [])
    for event in client.events(f"{_PLACE}?{urlencode(query)}" if query else _PLACE):
        _tell(event.name, event.id, event.body, as_json)


def _read(client: GatewayClient, kinds: tuple[str, ...], after: str | None, as_json: bool) -> None:
    query: dict[str, Any] = {"type": list(kinds), "limit": 500}
    more = True
    while more:
        page = client.get(_PLACE, **query, **({"after": after} if after else {}))
        if page["reset"]:
            _tell("reset", None, {"streams": page["reset_streams"]}, as_json)
        for event in page["events"]:
            _tell(event["type"].removeprefix("spark.").rpartition(".v")[0], None, event, as_json)
        after, more = page["next"], page["more"]
    click.echo(f"to go on: --after {after}", err=True)


def _follow_page(client: GatewayClient, kinds: tuple[str, ...], as_json: bool) -> None:
    for event in client.events("/api/live"):
        if not kinds or event.name in kinds:
            _tell(event.name, event.id, event.body, as_json)


def _tell(name: str, place: str | None, body: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"event": name, "id": place, "data": body}))
        return
    enveloped = "specversion" in body
    at = f"{body['time'][:19].replace('T', ' ')}  " if enveloped else ""
    click.echo(f"{at}{name:<20} {summary(name, body['data'] if enveloped else body)}")
