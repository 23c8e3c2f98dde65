"""``sparkctl sim``: make a simulated Spark misbehave."""

import json
from pathlib import Path

import click
import httpx

from spark_cli.gateway_client import RefusedError
from spark_cli.simulator import set_behaviour


@click.command()
@click.argument("host", type=click.Choice(["spark1", "spark2", "all"]))
@click.argument("behaviour")
@click.option("--run-dir", default=".run/demo", show_default=True, type=click.Path(path_type=Path))
def sim(host: str, behaviour: str, run_dir: Path) -> None:
    """Switch HOST to BEHAVIOUR: ok, slow, hang, oom_on_load, bad_flag, unreachable and others.

    launcher=2026-01 and launcher=2026-09 change the time that its spark-vllm-docker is of.
    """
    try:
        facts = json.loads((run_dir / "running.json").read_text())
    except FileNotFoundError as error:
        raise RefusedError(f"no demo runs in {run_dir}: start it with `make demo`") from error
    try:
        set_behaviour(facts["simulator"], host, behaviour)
    except httpx.HTTPStatusError as error:
        raise RefusedError(error.response.text) from error
    except httpx.TransportError as error:
        raise RefusedError("the simulated Sparks do not answer") from error
    click.echo(f"{host}: {behaviour}")
