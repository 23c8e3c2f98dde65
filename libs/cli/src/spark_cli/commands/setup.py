"""``sparkctl setup``: from a model's files to a recipe of your own, confirmed once."""

from typing import Any

import click

from spark_cli.asking import who_asks
from spark_cli.commands.suggest import render
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.recipe_words import refused, render_detail, render_preview

REFUSED = 1


@click.command()
@click.argument("repo")
@click.option("--key", default=None, help="Short name; made from the repository unless given.")
@click.option("--yes", is_flag=True, help="Save what is suggested without asking.")
@AS_JSON
@click.pass_context
def setup(context: click.Context, repo: str, key: str | None, yes: bool, as_json: bool) -> None:
    """Suggest a recipe for REPO (or a local directory), show it, and save it.

    What is suggested and asked goes to standard error with --json, the saved recipe alone to
    standard output.
    """
    client = GatewayClient(gateway_url())
    suggestion = client.get("/api/models/suggest", repo=repo)
    click.echo(render(suggestion), err=as_json)
    form = form_of(suggestion)
    if key is not None:
        form["key"] = key
    preview = client.post("/api/recipes/preview", {"recipe": form})
    click.echo(render_preview(preview), err=as_json)
    if refused(preview):
        click.echo("it cannot be saved like this: put the form into a file, correct it, and use "
                   "sparkctl recipe save FILE", err=True)  # fmt: skip
        context.exit(REFUSED)
    if not yes:
        click.confirm("Save this recipe?", abort=True, err=True)
    detail = client.post("/api/models", {**form, "requested_by": who_asks()})
    tell(detail, as_json, lambda saved: f"saved\n{render_detail(saved)}")


def form_of(suggestion: dict[str, Any]) -> dict[str, Any]:
    """Return the form of a suggestion, as it would be confirmed."""
    where = "local_path" if suggestion["repo"].startswith("/") else "repo"
    env = (setting["value"].partition("=") for setting in suggestion.get("env", []))
    return {
        "key": suggestion["key"],
        where: suggestion["repo"],
        "name": suggestion["name"],
        "mode": suggestion["mode"]["value"],
        "served_name": suggestion["served_name"]["value"],
        "image": suggestion["image"]["value"],
        "tensor_parallel": suggestion["tensor_parallel"]["value"],
        "env": {name: value for name, _, value in env},
        "args": [argument["value"] for argument in suggestion.get("args", [])],
        "capabilities": suggestion["capabilities"]["value"],
        "context_length": suggestion["context_length"]["value"],
        "size_bytes": suggestion["size_bytes"] or None,
    }
