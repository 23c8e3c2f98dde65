"""``sparkctl download``: bring a repository to the Sparks, and follow it until it is there."""

import json
from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import tell
from spark_cli.words import duration, gigabytes, table

FAILED = 1
"""Exit code when the download ended without being whole everywhere."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_BOTH = ("spark1", "spark2")


@click.command()
@click.argument("repo")
@click.option("--on", "hosts", multiple=True, help="Spark that shall have it; may be repeated.")
@click.option("--both", is_flag=True, help="The same as --on spark1 --on spark2.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it would need, touch nothing.")
@click.option("--follow", is_flag=True, help="Stay until it is there or failed; exit 1 on failure.")
@click.option("--key", default=None, help="Idempotency key: the same key never starts a second.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON lines.")
@click.pass_context
def download(
    context: click.Context,
    repo: str,
    hosts: tuple[str, ...],
    both: bool,
    only_plan: bool,
    follow: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """Download REPO (organisation/name on the hub), by default to the first Spark.

    The same command goes on with a download that broke off.
    """
    client = GatewayClient(gateway_url())
    chosen = list(dict.fromkeys((*hosts, *(_BOTH if both else ())))) or ["spark1"]
    if only_plan:
        body = {"repo": repo, "hosts": chosen}
        plan = client.post("/api/downloads/plan", body)
        tell(plan, as_json, render_plan)
        if plan["blockers"]:
            context.exit(FAILED)
        return
    body = {"repo": repo, "hosts": chosen, "requested_by": who_asks()}
    view = client.post("/api/downloads", body, said_along(key))
    tell(view, as_json, lambda _: f"download {view['id']} of {repo} is accepted", line=True)
    if not follow:
        return
    try:
        whole = follow_download(client, view["id"], as_json)
    except KeyboardInterrupt:
        click.echo(f"\nnot followed any more; download {view['id']} goes on", err=True)
        context.exit(INTERRUPTED)
    if not whole:
        context.exit(FAILED)


def follow_download(client: GatewayClient, job_id: str, as_json: bool) -> bool:
    """Print what happens until the outcome; return whether it is whole everywhere."""
    for event in client.events(f"/api/downloads/{job_id}/stream"):
        if as_json:
            click.echo(json.dumps({"event": event.name, "id": event.id, **event.body}))
        elif event.name == "download.progress":
            click.echo(progress_line(event.body))
            for line in event.body.get("lines", []):
                click.echo(f"{'':>12}  | {line}")
        if event.name in {"download.complete", "download.failed"}:
            if not as_json:
                click.echo(ending(event.body))
            return event.name == "download.complete"
    view = client.get(f"/api/downloads/{job_id}")
    return bool(view["state"] == "complete")


def progress_line(progress: dict[str, Any]) -> str:
    """Return one line per event: step or percent, the sentence, the time left."""
    percent = progress.get("percent")
    moved = progress.get("previous_step") is not None
    head = progress["step"] if moved or percent is None else f"{percent:.1f}%"
    left = progress.get("eta_seconds")
    tail = f" About {duration(left)} left." if left is not None else ""
    return f"{head:>12}  {progress.get('message', '')}{tail}"


def ending(outcome: dict[str, Any]) -> str:
    """Return how it ended and, when it did not go well, what to do."""
    took = duration(outcome["total_seconds"])
    cause = outcome.get("cause")
    if cause is None:
        return f"{outcome['message']} It took {took}."
    evidence = [f"  > {line}" for line in cause.get("evidence", [])]
    head = f"{outcome['outcome']}: {cause['sentence']}"
    return "\n".join([head, *evidence, f"what to do: {cause['action']}"])


def render_plan(plan: dict[str, Any]) -> str:
    """Return a plan as a table, with the reasons against it."""
    speed = plan.get("usual_bytes_per_second")
    head = f"{plan['repo']}  {gigabytes(plan.get('total_bytes'))} ({plan['size_source']})"
    if plan.get("missing_bytes") is not None:
        head += f", {gigabytes(plan['missing_bytes'])} to fetch"
    if speed is not None and plan.get("eta_seconds") is not None:
        head += f", usually {duration(plan['eta_seconds'])}"
    rows = [("Spark", "state", "there", "free", "free after")]
    for place in plan["places"]:
        rows.append(
            (
                place["label"],
                place["state"],
                gigabytes(place["done_bytes"]),
                gigabytes(place.get("free_bytes")),
                gigabytes(place.get("free_after_bytes")),
            )
        )
    running = [f"runs already: download {plan['running']}"] if plan.get("running") else []
    blockers = [f"would be refused: {text}" for text in plan["blockers"]]
    return "\n".join([head, table(rows), *running, *blockers])
