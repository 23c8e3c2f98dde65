"""``sparkctl demo``: the whole product against two simulated Sparks."""

import os
from pathlib import Path

import click

from spark_cli.addresses import PORT
from spark_cli.launcher import run
from spark_cli.services import GATEWAY_PORT, Wiring
from spark_cli.session import Launch
from spark_cli.simulator import SimulatedSparks
from spark_cli.up import policy_settings


def _ports(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, int]:
    """Return a port per inner service from ``9105,9101,9102,9103,9104``, or the usual ones."""
    usual = Wiring.usual_ports()
    if value is None:
        return usual
    words = value.split(",")
    if len(words) != len(usual):
        raise click.BadParameter(f"must be {len(usual)} ports: {', '.join(usual)}")
    return {name: PORT(word, parameter, context) for name, word in zip(usual, words, strict=True)}


@click.command()
@click.option("--run-dir", default=".run/demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the dashboard.")
@click.option(
    "--port", default=GATEWAY_PORT, type=PORT, show_default=True, help="Port of the dashboard."
)
@click.option("--spark1", default="127.0.0.11", show_default=True, hidden=True)
@click.option("--spark2", default="127.0.0.12", show_default=True, hidden=True)
@click.option("--control-port", default=9190, type=PORT, show_default=True, hidden=True)
@click.option(
    "--service-ports",
    default=None,
    callback=_ports,
    hidden=True,
    help="Five ports for the services.",
)
@click.option(
    "--speed",
    default=10.0,
    type=click.FloatRange(0.1, 1000),
    show_default=True,
    help="How much faster than a real Spark.",
)
def demo(
    run_dir: Path,
    host: str,
    port: int,
    spark1: str,
    spark2: str,
    control_port: int,
    service_ports: dict[str, int],
    speed: float,
) -> None:
    """Run the whole product here, against two simulated Sparks, until Ctrl-C."""
    sparks = SimulatedSparks(spark1, spark2, control_port=control_port, speed=speed)
    run(
        Launch(
            folder=run_dir,
            bind_host=host,
            gateway_port=port,
            service_ports=service_ports,
            simulator=sparks,
            cluster=policy_settings(os.environ),
        )
    )
