"""``sparkctl service``: what is always on; starting, stopping, logs, one's own services."""

import json
from typing import Any

import click

from spark_cli.asking import address, said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table

PATH = "/api/services"


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def service(context: click.Context, as_json: bool) -> None:
    """Show the services that are always on; start, stop and restart them, read their logs."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        tell(context.obj.get(PATH), as_json, render)


@service.command()
@click.argument("name")
@AS_JSON
@click.pass_context
def show(context: click.Context, name: str, as_json: bool) -> None:
    """Show the service NAME with its container."""
    tell(context.obj.get(address(PATH, name)), as_json, render_one)


def _press(action: str, what: str) -> click.Command:
    """Return the command that starts, stops or restarts."""

    @click.argument("name")
    @click.option("--reason", default="", help="Why; it is told with the action.")
    @click.option("--idempotency-key", "once", default=None, help="The same one acts once.")
    @click.option("--force", is_flag=True, help="Although somebody else holds the cluster.")
    @AS_JSON
    @click.pass_context
    def pressed(
        context: click.Context, name: str, reason: str, once: str | None, force: bool, as_json: bool
    ) -> None:
        asked = {"requested_by": who_asks(), "reason": reason, "force": force}
        done = context.obj.post(f"{address(PATH, name)}/{action}", asked, said_along(once))
        tell(done, as_json, lambda view: str(view["message"]))

    return service.command(action, help=what)(pressed)


start = _press("start", "Start the container of NAME.")
stop = _press("stop", "Stop the container of NAME.")
restart = _press("restart", "Restart the container of NAME.")


@service.command()
@click.argument("name")
@click.option("--tail", default=200, show_default=True, type=click.IntRange(1, 2000))
@click.option("--follow", "-f", "to_follow", is_flag=True, help="Go on until Ctrl-C.")
@AS_JSON
@click.pass_context
def logs(context: click.Context, name: str, tail: int, to_follow: bool, as_json: bool) -> None:
    """Print the end of the container's log of NAME."""
    read_log(context.obj, address(PATH, name), tail, to_follow=to_follow, as_json=as_json)


def read_log(
    client: GatewayClient, place: str, tail: int, *, to_follow: bool, as_json: bool
) -> None:
    """Print a log, to its end or as it grows."""
    if not to_follow:
        found = client.get(f"{place}/logs", tail=tail)
        tell(found, as_json, lambda log: "\n".join(log["lines"]))
        return
    try:
        for event in client.events(f"{place}/logs/stream?tail={tail}"):
            # After its quarter hour a stream is asked for again, where it was.
            if as_json:
                click.echo(json.dumps({"event": event.name, **event.body}))
            elif event.name == "lines":
                if event.body["skipped"]:
                    click.echo("[some lines were left out]", err=True)
                for line in event.body["lines"]:
                    click.echo(line)
            if event.name == "error":
                raise click.ClickException(str(event.body["message"]))
    except KeyboardInterrupt:
        click.echo("", err=True)


@service.command()
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(["http", "vllm", "bot"]))
@click.option("--label", default=None, help="For people; the name unless given.")
@click.option("--host", default=None, help="spark1, spark2, ... or an address.")
@click.option("--user", default=None, help="The login there, unless it is that of the Spark.")
@click.option("--port", default=None, type=click.IntRange(1, 65535))
@click.option("--path", "path", default=None, help="What its health is asked on; /health.")
@click.option("--container", default=None, help="Its container, to start and stop it.")
@click.option("--replace", is_flag=True, help="In place of the one of that name.")
@AS_JSON
@click.pass_context
def add(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Put a service of your own on the list as NAME."""
    asked = {key: value for key, value in given.items() if value not in (None, False)}
    view = context.obj.post(PATH, asked | {"requested_by": who_asks()})
    tell(view, as_json, lambda one: f"{one['name']} is on the list")


@service.command()
@click.argument("name")
@click.option("--reason", default="", help="Why.")
@AS_JSON
@click.pass_context
def remove(context: click.Context, name: str, reason: str, as_json: bool) -> None:
    """Take the service NAME of your own from the list; its container is left alone."""
    query: dict[str, str | list[str]] = {"requested_by": who_asks(), "reason": reason}
    gone = context.obj.delete(address(PATH, name), query)
    tell(gone, as_json, lambda view: str(view["message"]))


def render(view: dict[str, Any]) -> str:
    """Return the lines that people read."""
    rows = [
        (
            one["name"],
            one["state"] + (" (stale)" if one["stale"] else ""),
            _container(one["container"]),
            one["host"] or one["address"] or "-",
            one["version"] or "-",
            one["reason"] or "-",
        )
        for one in view["services"]
    ]
    lines = [table([("name", "state", "container", "host", "version", "why"), *rows])]
    if view["hidden"]:
        lines.append(f"hidden: {', '.join(view['hidden'])}")
    lines += [f"cannot be used: {problem}" for problem in view["problems"]]
    return "\n".join(lines)


def render_one(one: dict[str, Any]) -> str:
    """Return one service with everything about it."""
    reason = f": {one['reason']}" if one["reason"] else ""
    lines = [f"{one['label']} ({one['name']}) is {one['state']}{reason}"]
    if one["url"]:
        lines.append(f"at {one['url']}, version {one['version'] or 'unknown'}")
    if box := one["container"]:
        lines.append(f"container {box['name']}: {_container(box)}")
        if box["problem"]:
            lines.append(box["problem"])
    if last := one["last_action"]:
        well = "" if last["ok"] else ", which did not work"
        why = f" ({last['reason']})" if last["reason"] else ""
        lines.append(f"{last['action']} by {last['requested_by']} at {last['at']}{why}{well}")
    return "\n".join(lines)


def _container(box: dict[str, Any] | None) -> str:
    if box is None:
        return "-"
    said = str(box["state"])
    if box["crash_loop"]:
        said = f"crash loop, {box['recent_restarts']} starts in ten minutes"
    elif box["up_seconds"] is not None:
        said += f" for {duration(box['up_seconds'])}"
    if box["restart_count"]:
        said += f", restarted {box['restart_count']} times"
    return said
