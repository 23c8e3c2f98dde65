"""``sparkctl downloads`` and ``sparkctl cancel-download``."""

import getpass
import json
from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.words import duration, gigabytes, table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the API as it is.")
def downloads(as_json: bool) -> None:
    """List the downloads that run and the latest ones that ended."""
    listed = GatewayClient(gateway_url()).get("/api/downloads")
    click.echo(json.dumps(listed, indent=2) if as_json else render(listed))


@click.command("cancel-download")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the API as it is.")
def cancel_download(id: str, as_json: bool) -> None:
    """Stop the download ID; whole files stay for the next time."""
    client = GatewayClient(gateway_url())
    asked_by = f"{getpass.getuser()} (sparkctl)"
    view = client.delete(f"/api/downloads/{id}", {"requested_by": asked_by})
    over = view["state"] != "running"
    said = f"download {id} is over: {view['state']}" if over else f"download {id} is being stopped"
    click.echo(json.dumps(view) if as_json else said)


def render(listed: dict[str, Any]) -> str:
    """Return running and ended downloads as a table."""
    rows = [("id", "repository", "on", "state", "done", "speed", "left", "message")]
    for view in [*listed["running"], *listed["recent"]]:
        speed = view.get("bytes_per_second")
        running = view["state"] == "running"
        rows.append(
            (
                view["id"],
                view["repo"],
                ", ".join(place["host"] for place in view["places"]),
                view["step"] if running else view["state"],
                f"{gigabytes(view['done_bytes'])} of {gigabytes(view.get('total_bytes'))}",
                f"{speed / 1e6:.0f} MB/s" if speed else "-",
                duration(view.get("eta_seconds")) if running else "-",
                view["message"],
            )
        )
    return table(rows) if len(rows) > 1 else "nothing was downloaded yet"
