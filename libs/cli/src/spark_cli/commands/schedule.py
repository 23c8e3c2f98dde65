"""``sparkctl schedule``: what runs when, registering it, and the calendar."""

from datetime import datetime, timedelta
from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, RefusedError, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.spans import SPAN
from spark_cli.words import duration, table

PATH = "/api/schedule"
_KINDS = ("outside", "swap", "warm", "restart", "sweep", "snapshot")


@click.group(invoke_without_command=True)
@click.pass_context
def schedule(context: click.Context) -> None:
    """What runs on the cluster at which times."""
    if context.invoked_subcommand is None:
        context.invoke(list_command)


@schedule.command("list")
@AS_JSON
def list_command(as_json: bool) -> None:
    """All schedules by their next run, with what is in their way."""
    tell(GatewayClient(gateway_url()).get(PATH), as_json, _listed)


@schedule.command()
@click.argument("id")
@AS_JSON
def show(id: str, as_json: bool) -> None:
    """One schedule with its latest runs."""
    tell(GatewayClient(gateway_url()).get(address(PATH, id)), as_json, _shown)


@schedule.command()
@click.argument("id")
@click.option("--kind", type=click.Choice(_KINDS), default="outside", show_default=True)
@click.option("--cron", help="Five fields: minute, hour, day, month, day of the week.")
@click.option("--every", type=SPAN, help="From now on, or from --starts: 30m, 12h.")
@click.option("--at", type=click.DateTime(), help="Once, on the clocks of --timezone.")
@click.option("--timezone", default="UTC", show_default=True, help="For example Europe/Berlin.")
@click.option("--starts", type=click.DateTime(), help="Not before this.")
@click.option("--ends", type=click.DateTime(), help="Not after this.")
@click.option("--takes", type=SPAN, help="How long a run usually takes.")
@click.option("--model", help="The model it needs; of a swap, the one to load.")
@click.option("--service", help="What a restart restarts: vllm.")
@click.option("--collection", help="What a snapshot writes to a file.")
@click.option("--keep", type=click.IntRange(1, 50), help="So many of its snapshots stay.")
@click.option("--name", help="What people call it.")
@click.option("--owner", default=who_asks, help="Whose it is; you, unless given.")
@click.option("--note", default="", help="What it is for.")
@click.option("--make-up", type=SPAN, help="A missed run is made up for if it is not later.")
@click.option("--missed-after", type=SPAN, help="An outside job has to ask within this time.")
@click.option("--off", is_flag=True, help="Keep it, but let it not come due.")
@AS_JSON
def add(id: str, as_json: bool, off: bool, make_up: float | None, **said: Any) -> None:
    """Register a schedule under ID, or replace it. It never runs a command."""
    body: dict[str, Any] = {
        "id": id,
        "kind": said["kind"],
        "cron": said["cron"],
        "every_seconds": said["every"],
        "at": _moment(said["at"]),
        "timezone": said["timezone"],
        "starts_at": _moment(said["starts"]),
        "ends_at": _moment(said["ends"]),
        "duration_minutes": _minutes(said["takes"]),
        "model": said["model"],
        "service": said["service"],
        "collection": said["collection"],
        "keep": said["keep"],
        "name": said["name"],
        "owner": said["owner"],
        "note": said["note"],
        "enabled": not off,
        "missed_after_minutes": _minutes(said["missed_after"]),
    }
    if make_up is not None:
        body["misfire"] = {"policy": "run_once", "within_minutes": _minutes(make_up)}
    given = {name: value for name, value in body.items() if value is not None}
    tell(GatewayClient(gateway_url()).post(PATH, given), as_json, _registered)


@schedule.command("rm")
@click.argument("id")
@AS_JSON
def remove(id: str, as_json: bool) -> None:
    """Forget a schedule; a run that goes on is not stopped."""
    query: dict[str, str | list[str]] = {"requested_by": who_asks()}
    gone = GatewayClient(gateway_url()).delete(address(PATH, id), query)
    tell(gone, as_json, lambda view: f"{view['schedule']['id']} is forgotten")


@schedule.command("check-in")
@click.argument("id")
@AS_JSON
def check_in(id: str, as_json: bool) -> None:
    """Say that the outside job of a schedule runs now."""
    view = GatewayClient(gateway_url()).post(f"{address(PATH, id)}/checkin", {})
    tell(view, as_json, lambda found: f"{found['schedule']['id']} has come")


@schedule.command()
@click.option("--days", type=click.FloatRange(0, 62, min_open=True), default=7, show_default=True)
@click.option("--back", type=click.FloatRange(0, 62), default=0, show_default=True, help="Days.")
@AS_JSON
def calendar(days: float, back: float, as_json: bool) -> None:
    """Every run of the next days, and of the last ones."""
    if days + back > 62:
        raise RefusedError("a calendar shows at most 62 days at once")
    now = datetime.now().astimezone()
    query = {
        "from": (now - timedelta(days=back)).isoformat(timespec="seconds"),
        "to": (now + timedelta(days=days)).isoformat(timespec="seconds"),
    }
    tell(GatewayClient(gateway_url()).get(f"{PATH}/calendar", **query), as_json, _calendar)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def _listed(answer: dict[str, Any]) -> str:
    views = answer["schedules"]
    if not views:
        return "nothing is scheduled"
    rows = [("ID", "KIND", "NEXT", "LAST", "OWNER")]
    rows += [
        (
            view["schedule"]["id"],
            view["schedule"]["kind"],
            _when(view["next_at"]) if view["schedule"]["enabled"] else "off",
            view["last"]["state"] if view["last"] else "-",
            view["schedule"]["owner"],
        )
        for view in views
    ]
    clashes = [
        f"{view['schedule']['id']}: {conflict['sentence']}"
        for view in views
        for conflict in view["conflicts"][:1]
    ]
    return "\n".join([table(rows), *clashes])


def _shown(view: dict[str, Any]) -> str:
    lines = [_registered(view)]
    lines += [
        f"  {_when(run['nominal'])}  {run['state']}  {run['message']}".rstrip()
        for run in view["runs"]
    ]
    return "\n".join(lines)


def _registered(view: dict[str, Any]) -> str:
    wanted = view["schedule"]
    next_one = f"next {_when(view['next_at'])}" if view["next_at"] else "no run to come"
    first = f"{wanted['id']} ({wanted['kind']}): {next_one}"
    return "\n".join([first, *(f"  {one['sentence']}" for one in view["conflicts"])])


def _calendar(answer: dict[str, Any]) -> str:
    lines = []
    if answer["lease_holder"]:
        lines.append(
            f"{answer['lease_holder']} holds the cluster until {_when(answer['lease_until'])}"
        )
    rows = [
        (
            _when(entry["at"]),
            entry["state"],
            entry["schedule_id"],
            entry["kind"],
            duration(_seconds(entry)),
            "; ".join(conflict["sentence"] for conflict in entry["conflicts"][:1]),
        )
        for entry in answer["entries"]
    ]
    lines.append(table(rows) if rows else "nothing is scheduled in this time")
    if answer["cut"]:
        lines.append("there is more; ask for fewer days")
    return "\n".join(lines)


def _seconds(entry: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(entry[name]) for name in ("at", "until"))
    return (ended - began).total_seconds()


def _when(moment: str | None) -> str:
    """Return a moment on the clock of this machine: ``Mon 2 Mar 02:15``."""
    if moment is None:
        return "-"
    local = datetime.fromisoformat(moment).astimezone()
    return f"{local:%a} {local.day} {local:%b %H:%M}"
