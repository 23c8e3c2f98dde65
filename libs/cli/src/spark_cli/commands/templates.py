"""``sparkctl templates``: recipes of the launcher's checkout on a Spark."""

from typing import Any

import click

from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.recipe_words import render_detail
from spark_cli.words import table


@click.command()
@click.option("--import", "name", default=None, help="Save this template as a recipe of your own.")
@click.option("--key", default=None, help="With --import: the short name it gets.")
@click.option("--replace", is_flag=True, help="With --import: replace the recipe that is there.")
@click.option("--refresh", is_flag=True, help="Read them from the Spark again.")
@AS_JSON
def templates(
    name: str | None, key: str | None, replace: bool, refresh: bool, as_json: bool
) -> None:
    """List the recipes in the launcher's checkout on a Spark, or import one."""
    client = GatewayClient(gateway_url())
    if name is None:
        tell(client.get("/api/recipes/templates", refresh=refresh), as_json, render)
        return
    body = {"name": name, "key": key, "replace": replace, "requested_by": who_asks()}
    detail = client.post("/api/recipes/templates/import", body)
    tell(detail, as_json, lambda saved: f"saved\n{render_detail(saved)}")


def render(found: dict[str, Any]) -> str:
    """Return the templates as a table, and what is wrong with some."""
    rows = [("template", "model", "mode", "image", "here as")]
    for one in found["templates"]:
        rows.append(
            (
                one["name"],
                one.get("repo") or "-",
                one["mode"],
                one.get("image") or "-",
                one.get("known_as") or "",
            )
        )
    text = table(rows) if len(rows) > 1 else "there are no templates"
    lines = [f"{one['name']}: {one['problem']}" for one in found["templates"] if one.get("problem")]
    return "\n".join([text, *lines, *([found["problem"]] if found.get("problem") else [])])
