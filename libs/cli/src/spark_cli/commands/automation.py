"""``sparkctl automation``: an identity of its own for every program that uses the bus."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from spark_cli.automation_place import CONFIG, IDENTITIES, RUN_DIR, URL, AutomationPlace, find_place
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table
from spark_common.bus.automations import Automation, AutomationError
from spark_common.bus.identities import DamagedSeedError
from spark_common.bus.permissions import OWN_STREAM, own_consumer
from spark_common.bus.steward import NotRunningError
from spark_common.errors import SparkError
from spark_common.logs import quiet

AnswerT = TypeVar("AnswerT")


@click.group()
def automation() -> None:
    """Programs that use the bus: let one in, see who is in, put one out."""


def _of_a_place(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the bus that its options name; what cannot be done is one line."""

    @RUN_DIR
    @IDENTITIES
    @CONFIG
    @URL
    @wraps(command)
    def with_place(
        run_dir: Path | None,
        identities: Path | None,
        nats_config: Path | None,
        nats_url: str | None,
        **given: Any,
    ) -> None:
        try:
            with quiet():
                command(find_place(run_dir, identities, nats_config, nats_url), **given)
        except (AutomationError, DamagedSeedError) as error:
            raise click.ClickException(str(error)) from error
        except SparkError as error:
            raise click.ClickException(error.message) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error

    return with_place


@automation.command()
@click.argument("name")
@click.option("--print", "show", is_flag=True, help="Print the seed, and nothing else, on stdout.")
@_of_a_place
def add(place: AutomationPlace, name: str, show: bool) -> None:
    """Let NAME in: a seed file only you can read, and rights of its own from now on.

    For one that is let in already, this only makes its durable consumer again.
    """
    with place.folder.held():
        made = place.folder.find(name)
        if made is None:
            made = place.folder.add(name)
            running = _told(place, made)
        else:
            place.write_config()
            running = _running(place.steward.reload())
        durable = running and _running(place.steward.make_own_consumer(name))
    _explain(place, made, running=running, durable=durable)
    if show:
        click.echo(made.seed_file.read_text(encoding="ascii").strip())


@automation.command("list")
@AS_JSON
@_of_a_place
def list_all(place: AutomationPlace, as_json: bool) -> None:
    """Show who is let in, who is connected, and what waits for each."""
    made = place.folder.all()
    rows = _looked_at(place, made)
    tell(rows, as_json, _rendered)


@automation.command("rm")
@click.argument("name")
@_of_a_place
def remove(place: AutomationPlace, name: str) -> None:
    """Put NAME out: its connections end now, its seed and what waited for it are deleted."""
    with place.folder.held():
        place.folder.remove(name)
        place.write_config()
        running = _running(place.steward.reload())
        if running:
            _running(place.steward.delete_own_consumer(name))
    if running:
        click.echo(f"automation {name} is out: its connections have ended, its consumer is gone")
    else:
        click.echo(
            f"automation {name} is out as soon as NATS starts; what waited for it is deleted "
            "by NATS after thirty days"
        )


def _told(place: AutomationPlace, made: Automation) -> bool:
    """Put a new one into the server's configuration; take it back when the server refuses."""
    try:
        place.write_config()
        return _running(place.steward.reload())
    except (AutomationError, SparkError, OSError):
        place.folder.remove(made.name)
        place.write_config()
        raise


def _running(asking: Coroutine[Any, Any, object]) -> bool:
    """Do something at the server; False when no server runs."""
    try:
        asyncio.run(_awaited(asking))
    except NotRunningError:
        return False
    return True


async def _awaited(asking: Coroutine[Any, Any, AnswerT]) -> AnswerT:
    return await asking


def _explain(place: AutomationPlace, made: Automation, *, running: bool, durable: bool) -> None:
    own = own_consumer(made.name)
    lines = [
        f"automation {made.name} is let in"
        if running
        else f"automation {made.name} is let in as soon as NATS starts",
        f"  NATS_URL         {place.url}",
        f"  NATS_SEED_FILE   {made.seed_file}",
        f"  inbox prefix     _INBOX_{own}",
        f"  durable          {own} on {OWN_STREAM}"
        + ("" if durable else ", once NATS and its streams are there: add it again then"),
    ]
    if not made.seed_is_here:
        lines[2] = "  NATS_SEED_FILE   moved away from here"
    click.echo("\n".join(lines), err=True)


def _looked_at(place: AutomationPlace, made: list[Automation]) -> list[dict[str, Any]]:
    try:
        connected = asyncio.run(place.steward.connections())
        waiting = asyncio.run(place.steward.own_consumers([each.name for each in made]))
    except NotRunningError:
        connected, waiting = None, {}
    rows = []
    for each in made:
        own = waiting.get(each.name)
        rows.append(
            {
                "name": each.name,
                "public_key": each.public_key,
                "seed_file": str(each.seed_file) if each.seed_is_here else None,
                "connections": None if connected is None else connected[each.public_key],
                "unread": None if own is None else own.unread,
                "unsettled": None if own is None else own.unsettled,
            }
        )
    return rows


def _rendered(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "nobody; let one in with sparkctl automation add NAME"

    def word(value: object) -> str:
        return "-" if value is None else str(value)

    columns = ("name", "connections", "unread", "unsettled", "seed_file")
    heading = ("NAME", "CONNECTED", "UNREAD", "UNSETTLED", "SEED")
    return table([heading, *(tuple(word(row[name]) for name in columns) for row in rows)])
