"""``sparkctl init``: keys and server configuration for containers, made once."""

import secrets
from pathlib import Path

import click
from spark_common.embedded.redis_config import render as render_redis

from spark_cli.ssh_key import ensure_key
from spark_common.bus.identities import Identities
from spark_common.bus.server_config import render as render_nats


@click.command()
@click.option("--dir", "directory", required=True, type=click.Path(path_type=Path))
@click.option("--state", default="/data", show_default=True, help="Where the servers keep data.")
@click.option("--nats-listen", default="127.0.0.1:4222", show_default=True)
@click.option("--redis-listen", default="127.0.0.1:6379", show_default=True)
def init(directory: Path, state: str, nats_listen: str, redis_listen: str) -> None:
    """Make what is missing in DIR: nkeys, nats.conf, redis.conf, a password and an SSH key.

    Existing keys stay; the configuration is written anew, so that an upgrade brings its own.
    """
    nats, redis = directory / "nats", directory / "redis"
    for folder in (directory, nats, redis):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identities = Identities.load_or_create(nats)
    _write(nats / "nats.conf", render_nats(
        identities.public_keys, store_dir=Path(state) / "jetstream", listen=nats_listen,
    ))  # fmt: skip
    password = redis / "password"
    if not password.exists():
        _write(password, secrets.token_urlsafe(32))
    _write(redis / "redis.conf", render_redis(
        listen=redis_listen, data=state, password=password.read_text().strip(),
    ))  # fmt: skip
    _, public = ensure_key(directory / "ssh")
    click.echo("add this line to ~/.ssh/authorized_keys of the SSH user on every Spark:\n")
    click.echo(public.read_text().strip())


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
