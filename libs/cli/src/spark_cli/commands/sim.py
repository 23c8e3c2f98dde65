"""``sparkctl sim``: make a simulated Spark misbehave, or its checkout need attention."""

import json
from pathlib import Path

import click
import httpx

from spark_cli.gateway_client import RefusedError
from spark_cli.simulator import set_behaviour, set_checkout


@click.command()
@click.argument("host", type=click.Choice(["spark1", "spark2", "all"]))
@click.argument("behaviour", required=False)
@click.option("--checkout", help="behind, current, dirty, diverged, detached, offline and others.")
@click.option("--run-dir", default=".run/demo", show_default=True, type=click.Path(path_type=Path))
def sim(host: str, behaviour: str | None, checkout: str | None, run_dir: Path) -> None:
    """Switch HOST to BEHAVIOUR: ok, slow, hang, oom_on_load, bad_flag, unreachable and others.

    launcher=2026-01 and launcher=2026-09 change the time that its spark-vllm-docker is of;
    parakeet.wedge_next=true and kokoro.stops_after=1 turn a switch of a speech service.
    """
    if behaviour is None and checkout is None:
        raise click.UsageError("name a behaviour, or a state with --checkout")
    try:
        facts = json.loads((run_dir / "running.json").read_text())
    except FileNotFoundError as error:
        raise RefusedError(f"no demo runs in {run_dir}: start it with `make demo`") from error
    try:
        if behaviour is not None:
            set_behaviour(facts["simulator"], host, behaviour)
        if checkout is not None:
            set_checkout(facts["simulator"], host, checkout)
    except httpx.HTTPStatusError as error:
        raise RefusedError(error.response.text) from error
    except httpx.TransportError as error:
        raise RefusedError("the simulated Sparks do not answer") from error
    click.echo(f"{host}: " + ", ".join(word for word in (behaviour, checkout) if word))
