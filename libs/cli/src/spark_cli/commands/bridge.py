"""``sparkctl bridge``: the Matrix bridge; updating it, its log, start, stop and restart."""

from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.commands.service import read_log, render_one
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import follow
from spark_cli.job_stream import stop as stop_job
from spark_cli.output import AS_JSON, tell

PATH = "/api/matrix-bridge"


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def bridge(context: click.Context, as_json: bool) -> None:
    """Show how the Matrix bridge is, or care for it."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        tell(context.obj.get(PATH), as_json, render)


@bridge.command()
@click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure.")
@click.option("--reason", default="", help="Why; it is told with the outcome.")
@click.option("--idempotency-key", "once", default=None, help="The same one acts once.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON.")
@click.pass_context
def update(
    context: click.Context, to_the_end: bool, reason: str, once: str | None, as_json: bool
) -> None:
    """Bring it to the newest commit of its checkout and start that; at most 25 minutes."""
    asked = {"requested_by": who_asks(), "reason": reason}
    view = context.obj.post(f"{PATH}/update", asked, said_along(once))
    tell(view, as_json, lambda _: f"update {view['id']} is {view['state']}", line=True)
    if to_the_end:
        follow(context, context.obj, "bridge", view["id"], as_json=as_json)


@bridge.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def cancel(context: click.Context, id: str, as_json: bool) -> None:
    """Stop the update ID."""
    view, words = stop_job(context.obj, "bridge", id)
    tell(view, as_json, lambda _: words)


@bridge.command()
@click.option("--tail", default=200, show_default=True, type=click.IntRange(1, 2000))
@click.option("--follow", "-f", "to_follow", is_flag=True, help="Go on until Ctrl-C.")
@AS_JSON
@click.pass_context
def logs(context: click.Context, tail: int, to_follow: bool, as_json: bool) -> None:
    """Print the end of its container's log."""
    read_log(context.obj, PATH, tail, to_follow=to_follow, as_json=as_json)


def _press(action: str, what: str) -> click.Command:
    @click.option("--reason", default="", help="Why; it is told with the action.")
    @AS_JSON
    @click.pass_context
    def pressed(context: click.Context, reason: str, as_json: bool) -> None:
        asked = {"requested_by": who_asks(), "reason": reason}
        done = context.obj.post(f"{PATH}/{action}", asked)
        tell(done, as_json, lambda view: str(view["message"]))

    return bridge.command(action, help=what)(pressed)


start = _press("start", "Start its container.")
stop = _press("stop", "Stop its container.")
restart = _press("restart", "Restart its container.")


def render(view: dict[str, Any]) -> str:
    """Return the lines that people read."""
    lines = [render_one(view["service"])]
    if job := view["job"]:
        lines.append(f"last update: {job['id']} {job['state']}: {job['message']}")
    return "\n".join(lines)
