"""``sparkctl speech``: the speech container and our files in it; put in place, undo, restart."""

from collections.abc import Callable
from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import follow, stop
from spark_cli.output import AS_JSON, tell

PATH = "/api/speech-models"


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def speech(context: click.Context, as_json: bool) -> None:
    """Show how the speech container is, or care for it."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        tell(context.obj.get(PATH), as_json, render)


def _order(action: str, what: str) -> Callable[..., None]:
    """Return the command that begins one kind of job."""

    @click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; 1 on failure.")
    @click.option("--key", default=None, help="Idempotency key: the same key acts once.")
    @click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON.")
    @click.pass_context
    def begin(context: click.Context, to_the_end: bool, key: str | None, as_json: bool) -> None:
        asked = {"requested_by": who_asks()}
        view = context.obj.post(f"{PATH}/{action}", asked, said_along(key))
        tell(view, as_json, lambda _: f"{action} {view['id']} is {view['state']}", line=True)
        if to_the_end:
            follow(context, context.obj, "overlay", view["id"], as_json=as_json)

    return speech.command(action, help=what)(begin)


reapply = _order("reapply", "Put our files into the container and restart it.")
undo = _order("undo", "Bring back what the latest reapply replaced, and restart.")
restart = _order("restart", "Restart the container and wait until speech is ready.")


@speech.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def cancel(context: click.Context, id: str, as_json: bool) -> None:
    """Stop the job ID; what it replaced so far is brought back."""
    view, words = stop(context.obj, "overlay", id)
    tell(view, as_json, lambda _: words)


def render(view: dict[str, Any]) -> str:
    """Return the lines that people read."""
    health, container = view["health"], view["container_state"] or "not there"
    lines = [
        f"{health['state']}: {view['address']}:{view['port']} ({view['container']}, {container})"
    ]
    if health["problem"]:
        lines.append(health["problem"])
    if health["diarizer"]:
        lines.append(f"diarizer: {health['diarizer']}")
    lines += [f"{file['name']}: {file['state'].replace('_', ' ')}" for file in view["files"]]
    if view["restart_needed"]:
        lines.append("Our files are in place; a restart makes them run.")
    if undo := view.get("undo"):
        lines.append(f"undo brings back: {', '.join(undo['files']) or 'no file'}")
    lines += [f"cannot be changed: {blocker}" for blocker in view["blockers"]]
    if job := view.get("job"):
        lines.append(f"last job: {job['id']} {job['action']} {job['state']}: {job['message']}")
    return "\n".join(lines)
