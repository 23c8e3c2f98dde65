"""``sparkctl swap``: ask for a model, and follow it until it serves."""

import getpass
import json
import os
from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.words import duration

FAILED = 1
"""Exit code when the swap ended without the model serving."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


@click.command()
@click.argument("model")
@click.option("--follow", is_flag=True, help="Stay until it is ready or failed; exit 1 on failure.")
@click.option("--queue", is_flag=True, help="Wait in line when another swap runs.")
@click.option("--rollback", is_flag=True, help="Bring the previous model back if this one fails.")
@click.option(
    "--force", is_flag=True, help="Cut off answers that are not finished when the drain time ends."
)
@click.option(
    "--drop-caches", is_flag=True, help="Empty the page cache of the Sparks before the load."
)
@click.option(
    "--reload", is_flag=True, help="Start the model afresh although it is the one that serves."
)
@click.option("--dry-run", is_flag=True, help="Check and plan everything, touch nothing.")
@click.option("--key", default=None, help="Idempotency key: the same key never swaps twice.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON lines.")
@click.pass_context
def swap(
    context: click.Context,
    model: str,
    follow: bool,
    queue: bool,
    rollback: bool,
    force: bool,
    drop_caches: bool,
    reload: bool,
    dry_run: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """Swap to MODEL (its key, repository or served name).

    The token of a lease is read from SPARK_LOCK_TOKEN, never from an argument.
    """
    client = GatewayClient(gateway_url())
    headers = lease_headers()
    if key is not None:
        headers["idempotency-key"] = key
    body = {
        "model": model,
        "requested_by": f"{getpass.getuser()} (sparkctl)",
        "when_busy": "queue" if queue else "reject",
        "rollback": rollback,
        "force": force,
        "drop_caches": drop_caches,
        "reload": reload,
        "dry_run": dry_run,
    }
    view = client.post("/api/swap", body, headers)
    click.echo(json.dumps(view) if as_json else _accepted(view))
    if not follow or dry_run:
        return
    try:
        serves = follow_swap(client, view["id"], as_json)
    except KeyboardInterrupt:
        click.echo(f"\nnot followed any more; swap {view['id']} goes on", err=True)
        context.exit(INTERRUPTED)
    if not serves:
        context.exit(FAILED)


def lease_headers() -> dict[str, str]:
    """Return the header that carries the lease token, if the environment has one."""
    token = os.environ.get("SPARK_LOCK_TOKEN")
    return {"x-swap-lock-token": token} if token else {}


def follow_swap(client: GatewayClient, swap_id: str, as_json: bool) -> bool:
    """Print what happens until the outcome; return whether the model serves."""
    for event in client.events(f"/api/swap/{swap_id}/stream"):
        if as_json:
            click.echo(json.dumps({"event": event.name, "id": event.id, **event.body}))
        elif event.name == "swap.progress":
            _progress(event.body)
        if event.name == "swap.complete":
            if not as_json:
                click.echo(f"ready after {duration(event.body['total_seconds'])}")
                if event.body.get("degraded"):
                    click.echo(f"but degraded: {event.body['degraded']}")
            return True
        if event.name == "swap.failed":
            if not as_json:
                _failure(event.body)
            return False
    view = client.get(f"/api/swap/{swap_id}")
    return bool(view["phase"] == "ready")


def _accepted(view: dict[str, Any]) -> str:
    if view.get("plan") is not None:
        return "\n".join(["nothing was touched; a real swap would:", *map(_item, view["plan"])])
    usual = view.get("usual_seconds")
    hint = f", usually {duration(usual)}" if usual is not None else ""
    return f"swap {view['id']} to {view['model']} is {view['phase']}{hint}"


def _item(text: str) -> str:
    return f"  - {text}"


def _progress(progress: dict[str, Any]) -> None:
    if progress.get("previous_phase") is not None:
        click.echo(f"{progress['phase']:>12}  {progress.get('message', '')}")
    elif progress.get("percent") is not None and not progress.get("lines"):
        left = progress.get("eta_seconds")
        tail = f", about {duration(left)} left" if left is not None else ""
        click.echo(f"{progress['percent']:>11.0f}%{tail}")
    for line in progress.get("lines", []):
        click.echo(f"{'':>12}  | {line}")


def _failure(outcome: dict[str, Any]) -> None:
    cause = outcome["cause"]
    click.echo(f"{outcome['outcome'].replace('_', ' ')}: {cause['sentence']}")
    for line in cause.get("evidence", []):
        click.echo(f"  > {line}")
    click.echo(f"what to do: {cause['action']}")
