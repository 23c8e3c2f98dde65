"""``sparkctl wake``: send a magic packet to a Spark."""

from urllib.parse import quote

import click

from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell


@click.command()
@click.argument("spark")
@AS_JSON
def wake(spark: str, as_json: bool) -> None:
    """Send a magic packet to SPARK (best effort); `hardware` shows what came of it."""
    place = f"/api/spark/{quote(spark, safe='')}/wake"
    sent = GatewayClient(gateway_url()).post(place, {"requested_by": who_asks()})
    tell(sent, as_json, lambda attempt: str(attempt["sentence"]))
