"""``sparkctl up``: the whole product on this machine, with real Sparks."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from spark_cli.launcher import run
from spark_cli.services import GATEWAY_PORT
from spark_cli.session import Launch

_PREFIXES = ("SPARK", "SSH_", "VLLM_", "KOKORO_", "PARAKEET_", "MAGPIE_", "EMBED_", "QDRANT_")


@click.command()
@click.option("--run-dir", default=".run/up", show_default=True, type=click.Path(path_type=Path))
@click.option("--env-file", default=".env", show_default=True, type=click.Path(path_type=Path))
@click.option("--host", default="0.0.0.0", show_default=True, help="Address of the dashboard.")  # noqa: S104 the network is who it is for
@click.option("--port", default=GATEWAY_PORT, show_default=True, help="Port of the dashboard.")
def up(run_dir: Path, env_file: Path, host: str, port: int) -> None:
    """Run the whole product here with the Sparks of the environment or of --env-file.

    NATS_URL and REDIS_URL, when set, name servers to use instead of starting some.
    """
    settings = {**read_env_file(env_file), **os.environ}
    missing = [
        name
        for name in ("SPARK1_HOST", "SPARK1_USER")
        if not settings.get(name, "").strip() or settings[name].startswith("<")
    ]
    if missing:
        raise click.ClickException(
            f"{missing[0]} is not set: put it into {env_file} or the environment"
        )
    run(
        Launch(
            folder=run_dir,
            bind_host=host,
            gateway_port=port,
            cluster=cluster_settings(settings),
            bus=bus_settings(settings),
        )
    )


def cluster_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return what concerns the Sparks; our own variables stay out of the services."""
    return {
        name: value
        for name, value in settings.items()
        if name.startswith(_PREFIXES) and not name.startswith("SPARK_")
    }


def bus_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return NATS_* and REDIS_* when both servers are named; one without the other is a mistake."""
    named = [name for name in ("NATS_URL", "REDIS_URL") if settings.get(name, "").strip()]
    if len(named) == 1:
        other = "REDIS_URL" if named == ["NATS_URL"] else "NATS_URL"
        raise click.ClickException(f"{named[0]} is set and {other} is not: set both or neither")
    if not named:
        return {}
    return {k: v for k, v in settings.items() if k.startswith(("NATS_", "REDIS_")) and v}


def read_env_file(path: Path) -> dict[str, str]:
    """Return NAME=value lines; comments and blank lines are skipped, quotes around are taken off.

    Raises click.ClickException naming the line that is neither.
    """
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator or not name.strip().isidentifier():
            raise click.ClickException(f"{path} line {number} is not NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found
