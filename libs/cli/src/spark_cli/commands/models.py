"""``sparkctl models``: the menu."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, gigabytes, table


@click.command()
@click.option("--refresh", is_flag=True, help="Look at the Sparks' disks again first.")
@AS_JSON
def models(refresh: bool, as_json: bool) -> None:
    """List the models on the Sparks' disks."""
    menu = GatewayClient(gateway_url()).get("/api/models", refresh=refresh)
    tell(menu, as_json, render)


def render(menu: dict[str, Any]) -> str:
    """Return the menu as a table; the loaded model carries a star."""
    rows = [("", "model", "state", "mode", "size", "usual load", "on")]
    for model in menu["models"]:
        rows.append(
            (
                "*" if model["loaded"] else " ",
                model["key"],
                model["state"].replace("_", " "),
                model["mode"],
                gigabytes(model.get("size_bytes")),
                duration(model.get("load_seconds")),
                ", ".join(
                    copy["host"] + (" (last known)" if copy["stale"] else "")
                    for copy in model["copies"]
                ),
            )
        )
    text = table(rows) if len(rows) > 1 else "no model is on the disk of any Spark"
    problems = [f"skipped: {problem}" for problem in menu.get("problems", [])]
    return "\n".join([text, *problems])
