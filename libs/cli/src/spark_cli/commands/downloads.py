"""``sparkctl downloads`` and ``sparkctl cancel-download``."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import stop
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, gigabytes, table


@click.command()
@AS_JSON
def downloads(as_json: bool) -> None:
    """List the downloads that run and the latest ones that ended."""
    tell(GatewayClient(gateway_url()).get("/api/downloads"), as_json, render)


@click.command("cancel-download")
@click.argument("id")
@AS_JSON
def cancel_download(id: str, as_json: bool) -> None:
    """Stop the download ID; whole files stay for the next time."""
    view, words = stop(GatewayClient(gateway_url()), "download", id)
    tell(view, as_json, lambda _: words)


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
