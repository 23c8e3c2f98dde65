"""``sparkctl swap``: ask for a model, and follow it until it serves; ``cancel`` stops a swap."""

from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import FAILED, follow, stop
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration


@click.command()
@click.argument("model")
@click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure.")
@click.option("--queue", is_flag=True, help="Wait in line when another swap runs.")
@click.option("--rollback", is_flag=True, help="Bring the previous model back if this one fails.")
@click.option(
    "--force", is_flag=True, help="Cut off answers that are not finished when the drain time ends."
)
@click.option(
    "--override-lease", is_flag=True, help="Swap though somebody else holds the lease; it is told."
)
@click.option(
    "--drop-caches", is_flag=True, help="Empty the page cache of the Sparks before the load."
)
@click.option("--dry-run", is_flag=True, help="Check and plan everything, touch nothing.")
@click.option("--key", default=None, help="Idempotency key: the same key never swaps twice.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON lines.")
@click.pass_context
def swap(
    context: click.Context,
    model: str,
    to_the_end: bool,
    queue: bool,
    rollback: bool,
    force: bool,
    override_lease: bool,
    drop_caches: bool,
    dry_run: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """Swap to MODEL (its key, repository or served name).

    The token of a lease is that of SPARK_LOCK_TOKEN or the one that `sparkctl lease take` kept,
    never an argument. A dry run of a swap that would be refused or would fail is exit 1.
    """
    client = GatewayClient(gateway_url())
    body = {
        "model": model,
        "requested_by": who_asks(),
        "when_busy": "queue" if queue else "reject",
        "rollback": rollback,
        "force": force,
        "drop_caches": drop_caches,
        "dry_run": dry_run,
    }
    path = "/api/swap?force=true" if override_lease else "/api/swap"
    view = client.post(path, body, said_along(key))
    tell(view, as_json, _planned if dry_run else _accepted, line=True)
    if dry_run and view.get("cause"):
        context.exit(FAILED)
    if to_the_end and not dry_run:
        follow(context, client, "swap", view["id"], as_json=as_json)


@click.command()
@click.argument("id")
@AS_JSON
def cancel(id: str, as_json: bool) -> None:
    """Stop the swap ID (see `sparkctl history`); what is already past is not undone."""
    view, words = stop(GatewayClient(gateway_url()), "swap", id)
    tell(view, as_json, lambda _: words)


def _accepted(view: dict[str, Any]) -> str:
    usual = view.get("usual_seconds")
    hint = f", usually {duration(usual)}" if usual is not None else ""
    return f"swap {view['id']} to {view['model']} is {view['phase']}{hint}"


def _planned(view: dict[str, Any]) -> str:
    steps = [f"  - {step}" for step in view.get("plan") or []]
    cause = view.get("cause")
    if cause is None:
        return "\n".join(["nothing was touched; a real swap would:", *steps])
    evidence = [f"  > {line}" for line in cause.get("evidence", [])]
    head = f"nothing was touched; a real swap would end badly: {cause['sentence']}"
    action = f"what to do: {cause['action']}"
    return "\n".join([head, *evidence, action, *(["otherwise it would:", *steps] if steps else [])])
