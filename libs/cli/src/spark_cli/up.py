"""``sparkctl up``: the whole product on this machine, with real Sparks."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from spark_cli.addresses import PORT
from spark_cli.launcher import run
from spark_cli.services import GATEWAY_PORT
from spark_cli.session import Launch
from spark_common.owner import TABLE
from spark_common.owner.field import fields_of
from spark_common.settings.speech import SpeechSettings

_PREFIXES = (
    "SPARK",
    "SSH_",
    "VLLM_",
    "WEBHOOK_",
    "KOKORO_",
    "PARAKEET_",
    "MAGPIE_",
    "EMBED_",
    "QDRANT_",
    "HF_TOKEN",
)
_POLICIES = ("LEASE_", "HOME_", "MODEL_", "LIST_MENU", "HEALTH_")
"""What the owner decides, apart from any Spark."""
_SPEECH = frozenset(field.name for field in fields_of(SpeechSettings, "Speech"))


@click.command()
@click.option("--run-dir", default=".run/up", show_default=True, type=click.Path(path_type=Path))
@click.option("--env-file", default=".env", show_default=True, type=click.Path(path_type=Path))
@click.option("--host", default="0.0.0.0", show_default=True, help="Address of the dashboard.")  # noqa: S104 the network is who it is for
@click.option(
    "--port", default=GATEWAY_PORT, type=PORT, show_default=True, help="Port of the dashboard."
)
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
            cluster={**cluster_settings(settings), **policy_settings(settings)},
            bus=bus_settings(settings),
        )
    )


def cluster_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return what concerns the Sparks and what is a setting; our own variables stay out."""
    return {
        name: value
        for name, value in settings.items()
        if (name.startswith(_PREFIXES) and not name.startswith("SPARK_")) or TABLE.get(name)
    }


def policy_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return what the owner decides about lease, home model, health and speech alone."""
    return {
        name: value
        for name, value in settings.items()
        if name.startswith(_POLICIES) or name in _SPEECH
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

    As in compose, `` #`` after a value without quotes begins a comment. Raises
    click.ClickException naming the line that is neither, or why the file cannot be read.
    """
    if not path.exists():
        return {}
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} cannot be read: it is not UTF-8 text") from error
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip().removeprefix("export ")
        if not stripped or stripped.startswith("#"):
            continue
        name, separator, value = stripped.partition("=")
        if not separator or not name.strip().isidentifier():
            raise click.ClickException(f"{path} line {number} is not NAME=value")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    """Return a value without its quotes, or without the comment behind it."""
    if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
        behind = value[end + 1 :].strip()
        if not behind or behind.startswith("#"):
            return value[1:end]
    return value.partition(" #")[0].rstrip()
