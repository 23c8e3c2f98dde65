"""``sparkctl init``: keys and server configuration for containers, made once."""

import secrets
from pathlib import Path

import click

from spark_cli.redaction_key import ensure_redaction_key
from spark_cli.ssh_key import ensure_key
from spark_common.bus.automations import AutomationError, AutomationFolder
from spark_common.bus.identities import DamagedSeedError, Identities
from spark_common.bus.server_config import render as render_nats
from spark_common.embedded.redis_config import render as render_redis
from spark_common.whole_file import OURS_ALONE, write_whole

_FILE = click.Path(path_type=Path, dir_okay=False)


def _listen(context: click.Context, parameter: click.Parameter, value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise click.BadParameter("must look like 127.0.0.1:4222")
    return value


@click.command()
@click.option(
    "--dir",
    "directory",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the keys live; only their owner can read them.",
)
@click.option("--state", default="/data", show_default=True, help="Where the servers keep data.")
@click.option("--nats-config", type=_FILE, help="nats.conf; by default in DIR/nats.")
@click.option("--nats-listen", default="127.0.0.1:4222", show_default=True, callback=_listen)
@click.option("--redis-config", type=_FILE, help="redis.conf; by default in DIR/redis.")
@click.option("--redis-listen", default="127.0.0.1:6379", show_default=True, callback=_listen)
def init(
    directory: Path,
    state: str,
    nats_config: Path | None,
    nats_listen: str,
    redis_config: Path | None,
    redis_listen: str,
) -> None:
    """Make what is missing in DIR: nkeys, nats.conf, redis.conf, a password, SSH and redaction key.

    Existing keys stay; the configuration is written anew, so that an upgrade brings its own.
    """
    nats, redis = directory / "nats", directory / "redis"
    try:
        for folder in (directory, nats, redis):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        keys = Identities.load_or_create(nats).public_keys
        store = Path(state) / "jetstream"
        _write(
            nats_config or nats / "nats.conf",
            render_nats(
                keys,
                store_dir=store,
                listen=nats_listen,
                automations=AutomationFolder.below(nats).public_keys(),
            ),
        )
        password = _password(redis / "password")
        _write(
            redis_config or redis / "redis.conf",
            render_redis(listen=redis_listen, data=state, password=password),
        )
        ensure_redaction_key(directory / "redaction")
        _, public = ensure_key(directory / "ssh")
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    except (DamagedSeedError, AutomationError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("add this line to ~/.ssh/authorized_keys of the SSH user on every Spark:\n")
    click.echo(public.read_text().strip())


def _password(path: Path) -> str:
    """Return the password of the file; one is made when there is none."""
    kept = path.read_text().strip() if path.exists() else ""
    if kept:
        return kept
    made = secrets.token_urlsafe(32)
    _write(path, made)
    return made


def _write(path: Path, text: str) -> None:
    """Write a file that only we read, whole or not at all, also when the power is cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text.encode(), OURS_ALONE)
