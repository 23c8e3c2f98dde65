"""``sparkctl lease``: who holds the cluster, taking it, standing in line, giving it back."""

from datetime import datetime
from typing import Any

import click

from spark_cli import kept_token
from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, RefusedError, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.spans import SPAN
from spark_cli.standing import LOCK, take, wait_for, with_token
from spark_cli.words import duration

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_TTL = click.option("--ttl", type=SPAN, default="1h", show_default=True, help="For how long.")


@click.group(invoke_without_command=True)
@click.pass_context
def lease(context: click.Context) -> None:
    """Reserve the cluster: nobody else swaps while you hold it.

    The token is kept in a file only you can read (or comes from SPARK_LOCK_TOKEN); it is never
    an argument, and never printed.
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


@lease.command()
@AS_JSON
def show(as_json: bool) -> None:
    """Who holds it, until when, and who waits."""
    headers = with_token(kept_token.lease_token())
    tell(GatewayClient(gateway_url()).get_as(headers, LOCK), as_json, render)


@lease.command("take")
@click.option("--holder", default=who_asks, help="The label others see; you, unless given.")
@click.option("--reason", default="", help="What for, in a few words.")
@_TTL
@click.option("--wait", is_flag=True, help="Stand in line until it is yours; Ctrl-C leaves.")
@click.option(
    "--priority",
    type=click.Choice(["human", "interactive", "batch"]),
    default="interactive",
    show_default=True,
)
@click.option("--max-wait", type=SPAN, default="1h", show_default=True, help="In line at most.")
@click.option("--force", is_flag=True, help="Take it from whoever holds it; everybody is told.")
@AS_JSON
@click.pass_context
def take_command(
    context: click.Context,
    /,
    ttl: float,
    max_wait: float,
    force: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Take the lease, or a place in line for it."""
    client = GatewayClient(gateway_url())
    order = {**said, "ttl_seconds": ttl, "max_wait_seconds": max_wait, "requested_by": who_asks()}
    grant = take(client, order, force=force, token=kept_token.lease_token())
    try:
        grant = wait_for(client, order, grant)
    except KeyboardInterrupt:
        click.echo("\nleft the line", err=True)
        context.exit(INTERRUPTED)
    tell(_without_token(grant), as_json, _taken)


@lease.command()
@_TTL
@AS_JSON
def extend(ttl: float, as_json: bool) -> None:
    """Keep the lease longer, from now on."""
    order = {"holder": who_asks(), "ttl_seconds": ttl}
    grant = take(GatewayClient(gateway_url()), order, force=False, token=_own_token())
    tell(_without_token(grant), as_json, _taken)


@lease.command()
@click.option("--force", is_flag=True, help="End it whoever holds it; everybody is told.")
@AS_JSON
def release(force: bool, as_json: bool) -> None:
    """Give the lease, a grant or a place in line back."""
    token = kept_token.lease_token() if force else _own_token()
    query: dict[str, str | list[str]] = {"requested_by": who_asks()}
    if force:
        query["force"] = "true"
    released = GatewayClient(gateway_url()).delete(LOCK, query, with_token(token))
    if not force or released["released"] == "nothing":
        kept_token.forget()
    tell(released, as_json, _released)


@lease.command("yield")
@click.option("--by", type=click.DateTime(), help="By when you need it, in local time.")
@click.option("--note", default="", help="What to tell the holder.")
@AS_JSON
def ask_to_yield(by: datetime | None, note: str, as_json: bool) -> None:
    """Ask the holder to release it; nothing is taken away."""
    order: dict[str, Any] = {"requested_by": who_asks(), "note": note}
    if by is not None:
        order["by"] = by.astimezone().isoformat()
    view = GatewayClient(gateway_url()).post(f"{LOCK}/yield", order)
    tell(view, as_json, lambda found: f"asked {found['holder']} to release it")


def render(view: dict[str, Any]) -> str:
    """Return the lease, the requests to its holder, and the line."""
    lines = [_standing(view)]
    for asked in view["yields"]:
        by = f" by {asked['by'][:16].replace('T', ' ')} UTC" if asked["by"] else ""
        note = f": {asked['note']}" if asked["note"] else ""
        lines.append(f"  {asked['requested_by']} asks to have it{by}{note}")
    for place in view["queue"]:
        yours = " (you)" if view["yours"] == "place" and place["ticket"] == view["ticket"] else ""
        lines.append(
            f"  {place['position']}. {place['holder']}{yours}, {place['priority']}, "
            f"at the latest in {duration(place['eta_seconds'])}"
        )
    return "\n".join(lines)


def _standing(view: dict[str, Any]) -> str:
    holder = "you" if view["yours"] == "lease" else view["holder"]
    left = duration(view["remaining_seconds"])
    why = f" ({view['reason']})" if view["reason"] else ""
    match view["state"]:
        case "free":
            return "nobody holds the cluster"
        case "granted":
            return f"given to {holder}{why}, to be taken up within {left}"
        case "draining":
            return f"the lease of {holder} is over; what runs of its time may finish, {left} left"
        case _:
            verb = "hold" if view["yours"] == "lease" else "holds"
            return f"{holder} {verb} the cluster for another {left}{why}"


def _taken(grant: dict[str, Any]) -> str:
    word = "extended" if grant["extended"] else "yours"
    return f"{word}, for another {duration(grant['remaining_seconds'])} (epoch {grant['epoch']})"


def _released(answer: dict[str, Any]) -> str:
    if answer["released"] == "nothing":
        return "there was nothing to give back"
    what = "place in line" if answer["released"] == "place" else "lease"
    return f"the {what} of {answer['holder']} is given back"


def _own_token() -> str:
    token = kept_token.lease_token()
    if token is None:
        raise RefusedError("you hold no lease from this shell: sparkctl lease take")
    return token


def _without_token(grant: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in grant.items() if name != "token"}
