"""``sparkctl delete``: what it frees on each Spark first, then the files of a model."""

from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import gigabytes, table

LEFT = 1
"""Exit code when files are still there."""


@click.command()
@click.argument("model")
@click.option("--plan", "only_plan", is_flag=True, help="Show what it would free, touch nothing.")
@click.option("--host", "hosts", multiple=True, help="Only on this Spark; may be repeated.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
@click.pass_context
def delete(
    context: click.Context,
    model: str,
    only_plan: bool,
    hosts: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Delete MODEL (its key) from the Sparks' disks. Its settings are kept."""
    client = GatewayClient(gateway_url())
    path = address("/api/models", model, "disk")
    if only_plan or not yes:
        plan = client.get(path)
        tell(plan, as_json, lambda found: render_plan(found, hosts))
        if only_plan:
            return
        if not plan["blockers"]:
            click.confirm("Delete these files?", abort=True, err=True)
    query: dict[str, str | list[str]] = {"requested_by": who_asks()}
    if hosts:
        query["host"] = list(hosts)
    done = client.delete(path, query)
    tell(done, as_json, render_deleted)
    if not done["complete"]:
        context.exit(LEFT)


def render_plan(plan: dict[str, Any], hosts: tuple[str, ...] = ()) -> str:
    """Return bytes per Spark, what is kept, what speaks against it."""
    places = [place for place in plan["places"] if not hosts or place["host"] in hosts]
    rows = [("on", "frees", "stays, shared", "free then", "")]
    for place in places:
        rows.append(
            (
                place["label"],
                gigabytes(place["frees_bytes"]),
                gigabytes(place["shared_bytes"]),
                gigabytes(place.get("free_after_bytes")),
                "last known" if place["stale"] else "",
            )
        )
    lines = [f"{plan['name']}  ({plan['repo']})", *([table(rows)] if places else [])]
    lines += [f"note: {note}" for note in plan["notes"]]
    lines += [f"refused: {blocker}" for blocker in plan["blockers"]]
    return "\n".join(lines)


def render_deleted(done: dict[str, Any]) -> str:
    """Return how it ended on each Spark."""
    lines = []
    for place in done["places"]:
        freed = f"freed {gigabytes(place['freed_bytes'])}"
        lines.append(f"{place['label']}: {place.get('problem') or freed}")
    if not lines:
        lines = ["there was nothing of it on any Spark"]
    return "\n".join(lines)
