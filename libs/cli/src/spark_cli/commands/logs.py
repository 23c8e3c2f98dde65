"""``sparkctl logs``: what a swap wrote, for ninety days."""

import click

from spark_cli.gateway_client import GatewayClient, gateway_url

_PAGE = 5000


@click.command()
@click.argument("swap")
def logs(swap: str) -> None:
    """Print the log of SWAP (its id; see `sparkctl history`)."""
    client = GatewayClient(gateway_url())
    after = 0
    while True:
        page = client.get(f"/api/swap/{swap}/log", after=after, limit=_PAGE)
        for line in page["lines"]:
            click.echo(line)
        after += len(page["lines"])
        if not page["lines"] or after >= page["total"]:
            break
    if after == 0:
        click.echo("nothing was written: it never began", err=True)
