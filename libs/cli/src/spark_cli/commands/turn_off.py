"""``sparkctl turn-off``: shut a Spark down or start it anew, where it allows that."""

from urllib.parse import quote

import click

from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell


@click.command()
@click.argument("spark")
@click.option("--reboot", is_flag=True, help="Start it anew.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def turn_off(spark: str, reboot: bool, yes: bool, as_json: bool) -> None:
    """Shut SPARK down; only where a sudo rule for just that is found on it."""
    action = "reboot" if reboot else "shutdown"
    if not yes:
        click.confirm(f"{action} {spark}? What runs on it is ended", abort=True, err=True)
    place = f"/api/spark/{quote(spark, safe='')}/{action}"
    order = {"confirm": spark, "requested_by": who_asks()}
    told = GatewayClient(gateway_url()).post(place, order)
    tell(told, as_json, lambda one: str(one["sentence"]))
