"""``sparkctl download``: bring a repository to the Sparks, and follow it until it is there."""

from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import FAILED, follow
from spark_cli.output import tell
from spark_cli.words import duration, gigabytes, table

_BOTH = ("spark1", "spark2")


@click.command()
@click.argument("repo")
@click.option("--on", "hosts", multiple=True, help="Spark that shall have it; may be repeated.")
@click.option("--both", is_flag=True, help="The same as --on spark1 --on spark2.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it would need, touch nothing.")
@click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure.")
@click.option("--key", default=None, help="Idempotency key: the same key never starts a second.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON lines.")
@click.pass_context
def download(
    context: click.Context,
    repo: str,
    hosts: tuple[str, ...],
    both: bool,
    only_plan: bool,
    to_the_end: bool,
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
    if to_the_end:
        follow(context, client, "download", view["id"], as_json=as_json)


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
