"""``sparkctl updates``: the software of the Sparks, what is pending, updating and going back."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, RefusedError, ServerEvent, gateway_url
from spark_cli.job_stream import follow, stop
from spark_cli.output import AS_JSON, tell
from spark_cli.words import ago
from spark_common.clock import SystemClock


@click.group(invoke_without_command=True)
@click.option("--refresh", is_flag=True, help="Ask the site of the software for news first.")
@AS_JSON
@click.pass_context
def updates(context: click.Context, refresh: bool, as_json: bool) -> None:
    """Show what is installed on the Sparks and what is pending, or update it."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        view = context.obj.get("/api/updates", refresh=refresh)
        tell(view, as_json, lambda answer: render(answer, SystemClock().now()))


def _beginning(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of everything that begins a job."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON."),
        click.option("--key", default=None, help="Idempotency key: the same key acts once."),
        click.option(
            "--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure."
        ),
    ):
        command = option(command)
    return command


@updates.command()
@click.option("--host", "hosts", multiple=True, help="Only this Spark (spark1); repeatable.")
@_beginning
@click.pass_context
def apply(
    context: click.Context, hosts: tuple[str, ...], to_the_end: bool, key: str | None, as_json: bool
) -> None:
    """Get the new commits and images. What is in use now is kept, to go back to."""
    _begin(context, "apply", {"hosts": list(hosts)}, key, to_the_end=to_the_end, as_json=as_json)


@updates.command()
@_beginning
@click.pass_context
def revert(context: click.Context, to_the_end: bool, key: str | None, as_json: bool) -> None:
    """Go back to what was in use before the last update."""
    _begin(context, "revert", {}, key, to_the_end=to_the_end, as_json=as_json)


@updates.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def cancel(context: click.Context, id: str, as_json: bool) -> None:
    """Stop the update ID; what it changed so far is taken back."""
    view, words = stop(context.obj, "update", id)
    tell(view, as_json, lambda _: words)


@updates.command()
@click.option("--thinking", is_flag=True, help="Print what the model thinks first, too.")
@click.option("--host", default=None, help="What is pending on this Spark (spark1).")
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
@click.pass_context
def explain(context: click.Context, thinking: bool, host: str | None, as_json: bool) -> None:
    """Have the loaded model explain what is pending."""
    client: GatewayClient = context.obj
    for event in client.said("/api/explain-updates", {"host": host}):
        if as_json:
            click.echo(json.dumps({"event": event.name, **event.body}))
        else:
            click.echo(_words(event, thinking), nl=False)
        if event.name == "error":
            raise RefusedError(event.body["message"])
        if event.name == "done":
            return
    raise RefusedError("the explanation broke off")


def _words(event: ServerEvent, thinking: bool) -> str:
    match event.name:
        case "text":
            return ("\n\n" if event.body.get("replace") else "") + str(event.body["text"])
        case "reasoning" if thinking:
            return str(event.body["text"])
        case "done" | "error":
            return "\n(cut off at its greatest length)\n" if event.body.get("cut") else "\n"
        case _:
            return ""


def _begin(
    context: click.Context,
    what: str,
    body: dict[str, Any],
    key: str | None,
    *,
    to_the_end: bool,
    as_json: bool,
) -> None:
    asked = {"requested_by": who_asks(), **body}
    view = context.obj.post(f"/api/updates/{what}", asked, said_along(key))
    tell(view, as_json, lambda _: f"update {view['id']} is {view['state']}", line=True)
    if to_the_end:
        follow(context, context.obj, "update", view["id"], as_json=as_json)


def render(view: dict[str, Any], now: datetime) -> str:
    """Return the lines that people read."""
    lines: list[str] = []
    for checkout in view["checkouts"]:
        lines += _checkout(checkout, now)
        for image in view["images"]:
            if image["host"] == checkout["host"]:
                lines.append(_image(image))
    for blocker in view["blockers"]:
        lines.append(f"not now: {blocker}")
    if view["can_revert"]:
        kept = view["kept"][0]
        lines.append(f"sparkctl updates revert goes back to what was kept on {kept['kept_at']}")
    if job := view.get("job"):
        lines.append(f"last job: {job['id']} {job['state']}: {job['message']}")
    return "\n".join(lines)


def _checkout(checkout: dict[str, Any], now: datetime) -> list[str]:
    commit = (checkout["commit"] or "no commit known")[:9]
    place = _compared(checkout["behind"], checkout["fetched_at"], now)
    stale = ", as last seen" if checkout["stale"] else ""
    lines = [
        f"{checkout['label']}: {checkout['branch'] or 'no branch'} at {commit}, {place}{stale}"
    ]
    if checkout["problem"]:
        lines.append(f"  {checkout['problem']}")
    lines += [
        f"  {(commit['at'] or '')[:10]} {commit['subject']}" for commit in checkout["commits"]
    ]
    return lines


def _compared(behind: int | None, fetched_at: str | None, now: datetime) -> str:
    """Say what the comparison with the remote is worth, too: it may never have been asked."""
    if behind is None:
        return "not compared"
    if fetched_at is None:
        asked = "remote not asked yet: add --refresh"
        return f"{behind} behind, {asked}" if behind else asked
    asked = f"asked the remote {ago(datetime.fromisoformat(fetched_at), now)}"
    return f"{behind} behind, {asked}" if behind else f"up to date, {asked}"


def _image(image: dict[str, Any]) -> str:
    identity = (image["id"] or "not there").removeprefix("sha256:")[:12]
    version = f", vLLM {image['vllm_version']}" if image["vllm_version"] else ""
    return f"  image {image['tag']}: {identity}{version}"
