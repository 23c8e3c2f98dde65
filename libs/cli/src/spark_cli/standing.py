"""Standing in line for the lease until it is served, and leaving the line when told to stop."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import click

from spark_cli import kept_token
from spark_cli.gateway_client import AwayError, GatewayClient
from spark_cli.words import duration

LOCK = "/api/swap/lock"
_FIRST_SECONDS, _MOST_SECONDS = 1.0, 10.0
_AWAY_SECONDS = 2.0


def take(client: GatewayClient, order: dict[str, Any], *, force: bool, token: str | None) -> Any:
    """Ask for the lease or a place, and keep its token. Raises RefusedError.

    What got no answer is asked once more, as the same order: it is not given twice.
    """
    path = f"{LOCK}?force=true" if force else LOCK
    headers = {**with_token(token), "idempotency-key": uuid.uuid4().hex}
    try:
        grant = client.post(path, order, headers)
    except AwayError:
        grant = client.post(path, order, headers)
    kept_token.keep(grant["token"])
    return grant


def wait_for(
    client: GatewayClient,
    order: dict[str, Any],
    grant: dict[str, Any],
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask again until the lease is held; gives the place back when interrupted.

    A gateway that is away meanwhile is waited for. Raises RefusedError.
    """
    told, wait_seconds = None, _FIRST_SECONDS
    try:
        while grant["state"] == "waiting":
            if grant["position"] != told:
                told = grant["position"]
                click.echo(
                    f"number {told} in line, at the latest in {duration(grant['eta_seconds'])}",
                    err=True,
                )
            pause(min(wait_seconds, grant["seen_within_seconds"] / 4))
            wait_seconds = min(2 * wait_seconds, _MOST_SECONDS)
            try:
                grant = take(client, order, force=False, token=grant["token"])
            except AwayError as away:
                click.echo(f"still waiting: {away.message}", err=True)
                pause(_AWAY_SECONDS)
    except KeyboardInterrupt:
        client.delete(LOCK, {}, with_token(grant["token"]))
        kept_token.forget()
        raise
    return grant


def with_token(token: str | None) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"x-swap-lock-token": token} if token else {}
