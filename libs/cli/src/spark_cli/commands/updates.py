"""``sparkctl updates``: the software of the Sparks, what is pending, updating and going back."""

import getpass
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from spark_cli.commands.swap import lease_headers
from spark_cli.gateway_client import GatewayClient, RefusedError, gateway_url
from spark_cli.job_stream import follow_job
from spark_cli.words import ago
from spark_common.clock import SystemClock

_REFRESH_SECONDS = 100.0
_LOOK_SECONDS = 15.0
_BEGIN_SECONDS = 40.0
_EXPLAIN_SECONDS = 240.0


@click.group(invoke_without_command=True)
@click.option("--refresh", is_flag=True, help="Ask the site of the software for news first.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def updates(context: click.Context, refresh: bool, as_json: bool) -> None:
    """Show what is installed on the Sparks and what is pending, or update it."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is not None:
        return
    seconds = _REFRESH_SECONDS if refresh else _LOOK_SECONDS
    view = context.obj.get_within(seconds, "/api/updates", refresh=refresh)
    if as_json:
        click.echo(json.dumps(view))
        return
    for line in shown(view, SystemClock().now()):
        click.echo(line)


def _beginning(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of everything that begins a job."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON."),
        click.option("--key", default=None, help="Idempotency key: the same key acts once."),
        click.option("--follow", is_flag=True, help="Stay until the end; exit 1 on failure."),
    ):
        command = option(command)
    return command


@updates.command()
@click.option("--host", "hosts", multiple=True, help="Only this Spark (spark1); repeatable.")
@_beginning
@click.pass_context
def apply(
    context: click.Context, hosts: tuple[str, ...], follow: bool, key: str | None, as_json: bool
) -> None:
    """Get the new commits and images. What is in use now is kept, to go back to."""
    _begin(context, "apply", {"hosts": list(hosts)}, key, follow=follow, as_json=as_json)


@updates.command()
@_beginning
@click.pass_context
def revert(context: click.Context, follow: bool, key: str | None, as_json: bool) -> None:
    """Go back to what was in use before the last update."""
    _begin(context, "revert", {}, key, follow=follow, as_json=as_json)


@updates.command()
@click.argument("job_id")
@click.pass_context
def cancel(context: click.Context, job_id: str) -> None:
    """Stop the update JOB_ID; what it changed so far is taken back."""
    client: GatewayClient = context.obj
    view = client.delete(f"/api/updates/jobs/{job_id}", {"requested_by": _who()})
    click.echo(f"update {view['id']} is {view['state']}: {view['message']}")


@updates.command()
@click.option("--thinking", is_flag=True, help="Print what the model thinks first, too.")
@click.pass_context
def explain(context: click.Context, thinking: bool) -> None:
    """Have the loaded model explain what is pending."""
    client: GatewayClient = context.obj
    for event in client.said("/api/explain-updates", {}, timeout_seconds=_EXPLAIN_SECONDS):
        if event.name == "error":
            raise RefusedError(event.body["message"])
        if event.name == "text" and event.body.get("replace"):
            click.echo("\n\n", nl=False)
        if event.name == "text" or (event.name == "reasoning" and thinking):
            click.echo(event.body["text"], nl=False)
    click.echo()


def _begin(
    context: click.Context,
    what: str,
    body: dict[str, Any],
    key: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    headers = lease_headers() | ({"idempotency-key": key} if key is not None else {})
    path = f"/api/updates/{what}"
    asked = {"requested_by": _who(), **body}
    view = context.obj.post(path, asked, headers, timeout_seconds=_BEGIN_SECONDS)
    click.echo(json.dumps(view) if as_json else f"update {view['id']} is {view['state']}")
    if follow:
        follow_job(context, f"/api/updates/jobs/{view['id']}", "update", as_json=as_json)


def _who() -> str:
    return f"{getpass.getuser()} (sparkctl)"


def shown(view: dict[str, Any], now: datetime) -> list[str]:
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
    return lines


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
