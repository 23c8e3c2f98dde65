"""Following a job that is no swap, a download or an update, to its end."""

import json
from typing import Any

import click

from spark_cli.gateway_client import GatewayClient
from spark_cli.words import duration

FAILED = 1
"""Exit code when a job ended without success."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def follow_job(context: click.Context, path: str, kind: str, *, as_json: bool) -> None:
    """Print what happens at ``path`` until the outcome; exits with 1 when it is a bad one."""
    client: GatewayClient = context.obj
    try:
        done = _followed(client, path, kind, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"\nnot followed any more; the {kind} goes on", err=True)
        context.exit(INTERRUPTED)
    if not done:
        context.exit(FAILED)


def _followed(client: GatewayClient, path: str, kind: str, *, as_json: bool) -> bool:
    for event in client.events(f"{path}/stream"):
        if as_json:
            click.echo(json.dumps({"event": event.name, "id": event.id, **event.body}))
        elif event.name == f"{kind}.progress":
            _progress(event.body)
        if event.name in (f"{kind}.complete", f"{kind}.failed"):
            if not as_json:
                _outcome(event.body)
            return event.name == f"{kind}.complete"
    view = client.get(path)
    if not as_json:
        click.echo(view["message"])
    return bool(view["state"] == "complete")


def _progress(progress: dict[str, Any]) -> None:
    if progress.get("previous_step") is not None:
        click.echo(f"{progress['step']:>12}  {progress.get('message', '')}")
    elif progress.get("percent") is not None and not progress.get("lines"):
        left = progress.get("eta_seconds")
        tail = f", about {duration(left)} left" if left is not None else ""
        click.echo(f"{progress['percent']:>11.0f}%{tail}")
    for line in progress.get("lines", []):
        click.echo(f"{'':>12}  | {line}")


def _outcome(outcome: dict[str, Any]) -> None:
    click.echo(f"{outcome['outcome']} after {duration(outcome['total_seconds'])}: "
               f"{outcome['message']}")  # fmt: skip
    if cause := outcome.get("cause"):
        for line in cause.get("evidence", []):
            click.echo(f"  > {line}")
        click.echo(f"what to do: {cause['action']}")
