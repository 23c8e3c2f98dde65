"""``sparkctl webhook``: who is told what happened, and what became of every delivery."""

import os
import sys
from typing import Any

import click

from spark_cli.asking import address
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table

KINDS = ("webhook", "ntfy", "email", "matrix", "gotify")
TOPICS = ("swap", "lock", "schedule", "health", "service")
SECRET_VARIABLE = "SPARK_WEBHOOK_SECRET"  # noqa: S105 the name of a variable
ADDRESS_VARIABLE = "SPARK_WEBHOOK_ADDRESS"
_STDIN_HELP = (
    f"Read the secret, or the address of another kind than webhook, from stdin; else they are in "
    f"${SECRET_VARIABLE} and ${ADDRESS_VARIABLE}."
)
FAILED = 1
"""Exit code when a test was not taken."""

PATH = "/api/webhooks"


@click.group()
@click.pass_context
def webhook(context: click.Context) -> None:
    """Manage the targets that are told what happened."""
    context.obj = GatewayClient(gateway_url())


@webhook.command("list")
@AS_JSON
@click.pass_obj
def list_targets(client: GatewayClient, as_json: bool) -> None:
    """Show all targets and how they stand."""
    tell(client.get(PATH), as_json, _listed)


@webhook.command()
@click.argument("id")
@click.option("--url", default=None, help="Where to POST; no user or password in it.")
@click.option("--kind", type=click.Choice(KINDS), default="webhook", show_default=True)
@click.option("--name", default=None, help="What people read; the id unless given.")
@click.option("--topic", "topics", multiple=True, type=click.Choice(TOPICS), help="Repeatable.")
@click.option("--secret-stdin", is_flag=True, help=_STDIN_HELP)
@click.option("--clear-secret", is_flag=True, help="Sign no more.")
@click.option("--off", is_flag=True, help="Keep it, and send nothing.")
@AS_JSON
@click.pass_obj
def add(
    client: GatewayClient,
    id: str,
    url: str | None,
    kind: str,
    name: str | None,
    topics: tuple[str, ...],
    secret_stdin: bool,
    clear_secret: bool,
    off: bool,
    as_json: bool,
) -> None:
    """Make the target ID, or change it. Secrets that are not given stay as they are.

    The other kinds have an address in the notation of apprise, such as ntfys://host/topic. It
    holds passwords: like a secret it never stands on the command line.
    """
    form: dict[str, Any] = {"kind": kind, "enabled": not off, "topics": list(topics) or ["swap"]}
    given = {"url": url, "name": name, "clear_secret": clear_secret or None}
    form |= {field: value for field, value in given.items() if value is not None}
    field, variable = (
        ("secret", SECRET_VARIABLE) if kind == "webhook" else ("address", ADDRESS_VARIABLE)
    )
    if secret := _secret(secret_stdin, variable):
        form[field] = secret
    view = client.put(address(PATH, id), form)
    tell(view, as_json, lambda found: f"{_where(found)} is told of {_topics(found)}")


@webhook.command()
@click.argument("id")
@click.pass_obj
def rm(client: GatewayClient, id: str) -> None:
    """Forget the target ID and what is still owed to it."""
    client.delete(address(PATH, id), {})
    click.echo(f"target {id} is removed")


@webhook.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def test(context: click.Context, id: str, as_json: bool) -> None:
    """Send a test to the target ID now; exit 1 when it is not taken."""
    client: GatewayClient = context.obj
    row = client.post(f"{address(PATH, id)}/test", {})
    tell(row, as_json, _said)
    if row["state"] != "delivered":
        context.exit(FAILED)


@webhook.command()
@click.option("--target", default=None, help="Only to this target.")
@click.option("--state", default=None, type=click.Choice(("pending", "delivered", "dead")))
@click.option("--before", default=None, help="Only earlier ones: the time in the last row.")
@click.option("--limit", default=50, type=click.IntRange(1, 500), show_default=True)
@AS_JSON
@click.pass_obj
def deliveries(
    client: GatewayClient,
    target: str | None,
    state: str | None,
    before: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the delivery log, newest first."""
    given = {"target": target, "state": state, "before": before}
    query = {name: value for name, value in given.items() if value is not None}
    tell(client.get(f"{PATH}/deliveries", limit=limit, **query), as_json, _logged)


@webhook.command()
@click.argument("delivery_id")
@click.pass_obj
def again(client: GatewayClient, delivery_id: str) -> None:
    """Give the delivery DELIVERY_ID, which was given up, another chance."""
    row = client.post(f"{address(f'{PATH}/deliveries', delivery_id)}/again", {})
    click.echo(f"{row['type']} is owed to {row['target']} again")


def _secret(from_stdin: bool, variable: str) -> str:
    """Return what is secret: never from the command line, which everybody on the machine sees."""
    if from_stdin:
        return sys.stdin.readline().strip()
    return os.environ.get(variable, "").strip()


def _listed(found: dict[str, Any]) -> str:
    if not found["targets"]:
        return "nobody is told; sparkctl webhook add ID --url URL adds a target"
    head = ("id", "kind", "where", "told of", "state", "owed", "given up", "last")
    return table([head, *(_row(one) for one in found["targets"])])


def _logged(found: dict[str, Any]) -> str:
    if not found["deliveries"]:
        return "nothing was delivered yet"
    head = ("made at", "target", "event", "state", "tries", "status", "ms", "id", "error")
    return table([head, *(_line(row) for row in found["deliveries"])])


def _row(target: dict[str, Any]) -> tuple[str, ...]:
    state = "on" if target["enabled"] else target["disabled_because"] or "off"
    last = target["last_error"] or (str(target["last_status"]) if target["last_status"] else "-")
    return (
        target["id"],
        target["kind"],
        _where(target),
        _topics(target),
        state,
        str(target["pending"]),
        str(target["dead"] + target["dropped"]),
        last,
    )


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    status = "-" if row["status"] is None else str(row["status"])
    took = "-" if row["latency_ms"] is None else f"{row['latency_ms']:.0f}"
    return (
        row["created_at"],
        row["target"],
        row["type"],
        row["state"],
        str(row["tries"]),
        status,
        took,
        row["id"],
        row["error"] or "",
    )


def _where(target: dict[str, Any]) -> str:
    return str(target["url"] or target["address"])


def _topics(target: dict[str, Any]) -> str:
    return ", ".join(target["topics"]) or "nothing"


def _said(row: dict[str, Any]) -> str:
    if row["state"] == "delivered":
        return f"the test was taken after {row['latency_ms']:.0f} ms"
    return f"the test was not taken: {row['error']}"
