"""``sparkctl embedding``: how the embedding server is, and installing it on its Spark."""

from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import follow, stop
from spark_cli.output import AS_JSON, tell

PATH = "/api/embedding"


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def embedding(context: click.Context, as_json: bool) -> None:
    """Show how the embedding server is, or install it."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        tell(context.obj.get(PATH), as_json, render)


@embedding.command()
@click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure.")
@click.option("--key", default=None, help="Idempotency key: the same key acts once.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON.")
@click.pass_context
def install(context: click.Context, to_the_end: bool, key: str | None, as_json: bool) -> None:
    """Build the container on its Spark and start it in place of the one that runs."""
    asked = {"requested_by": who_asks()}
    view = context.obj.post(f"{PATH}/install", asked, said_along(key))
    tell(view, as_json, lambda _: f"install {view['id']} is {view['state']}", line=True)
    if to_the_end:
        follow(context, context.obj, "install", view["id"], as_json=as_json)


@embedding.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def cancel(context: click.Context, id: str, as_json: bool) -> None:
    """Stop the installation ID."""
    view, words = stop(context.obj, "install", id)
    tell(view, as_json, lambda _: words)


def render(view: dict[str, Any]) -> str:
    """Return the lines that people read."""
    lines = [f"{view['state']}: {view['address']}:{view['port']} ({view['container']})"]
    if view["problem"]:
        lines.append(view["problem"])
    if view["models"]:
        lines.append(f"models: {', '.join(view['models'])}")
    lines += [f"cannot be installed: {blocker}" for blocker in view["blockers"]]
    if job := view.get("job"):
        lines.append(f"last job: {job['id']} {job['state']}: {job['message']}")
    return "\n".join(lines)
