"""``sparkctl logs``: what a swap, a download or an update wrote."""

from typing import Any

import click

from spark_cli.asking import address
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import PLACES
from spark_cli.output import AS_JSON, tell

_PAGE = 5000


@click.command()
@click.argument("id")
@click.option("--of", "kind", type=click.Choice(sorted(PLACES)), default="swap", show_default=True)
@AS_JSON
def logs(id: str, kind: str, as_json: bool) -> None:
    """Print the log of the swap ID (see `sparkctl history`), or of a download or update."""
    client = GatewayClient(gateway_url())
    place = address(PLACES[kind], id, "log")
    found = _all_pages(client, place) if kind == "swap" else client.get(place)
    if found["lines"] or as_json:
        tell(found, as_json, lambda log: "\n".join(log["lines"]))
    else:
        click.echo("nothing was written: it never began", err=True)


def _all_pages(client: GatewayClient, place: str) -> Any:
    whole = client.get(place, after=0, limit=_PAGE)
    page = whole
    while page["lines"] and len(whole["lines"]) < whole["total"]:
        page = client.get(place, after=len(whole["lines"]), limit=_PAGE)
        whole = {**page, "first": whole["first"], "lines": [*whole["lines"], *page["lines"]]}
    return whole
