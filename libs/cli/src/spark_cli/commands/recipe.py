"""``sparkctl recipe``: show, save, remove and preview recipes."""

from pathlib import Path
from typing import Any

import click
import yaml

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.recipe_words import refused, render_detail, render_preview

REFUSED = 1
"""Exit code of a preview with something that speaks against saving."""


@click.group()
def recipe() -> None:
    """Show, save, remove and preview launch recipes."""


@recipe.command()
@click.argument("model")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the form, ready to be edited.")
@AS_JSON
def show(model: str, as_yaml: bool, as_json: bool) -> None:
    """Show the recipe of MODEL (its key)."""
    detail = GatewayClient(gateway_url()).get(address("/api/models", model, "recipe"))
    if as_yaml:
        form = {
            name: value for name, value in detail["form"].items() if value not in (None, [], {})
        }
        click.echo(yaml.safe_dump(form, sort_keys=False, allow_unicode=True, width=96), nl=False)
    else:
        tell(detail, as_json, render_detail)


@recipe.command()
@click.argument("file", type=click.File("r"))
@click.option("--replace", is_flag=True, help="Replace a recipe of your own with the same key.")
@AS_JSON
def save(file: Any, replace: bool, as_json: bool) -> None:
    """Save the recipe in FILE (YAML or JSON, - for standard input) as one of your own."""
    body = {**read_form(file.read()), "replace": replace, "requested_by": who_asks()}
    detail = GatewayClient(gateway_url()).post("/api/models", body)
    tell(detail, as_json, lambda saved: f"saved\n{render_detail(saved)}")


@recipe.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def remove(model: str, yes: bool, as_json: bool) -> None:
    """Remove your own recipe of MODEL (its key); files on disk stay."""
    if not yes:
        click.confirm(f"Remove the recipe {model}?", abort=True, err=True)
    client = GatewayClient(gateway_url())
    detail = client.delete(address("/api/models", model), {"requested_by": who_asks()})
    words = f"removed {detail['form']['key']}; its files are still on the disk"
    tell(detail, as_json, lambda _: words)


@recipe.command()
@click.argument("source")
@AS_JSON
@click.pass_context
def preview(context: click.Context, source: str, as_json: bool) -> None:
    """Show what SOURCE would run: the key of a model, or a file with a recipe."""
    body: dict[str, Any] = {"model": source}
    if source == "-" or Path(source).is_file():
        with click.open_file(source) as file:
            body = {"recipe": read_form(file.read())}
    answer = GatewayClient(gateway_url()).post("/api/recipes/preview", body)
    tell(answer, as_json, render_preview)
    if refused(answer):
        context.exit(REFUSED)


def read_form(text: str) -> dict[str, Any]:
    """Return the fields of a recipe in YAML or JSON."""
    try:
        form = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise click.ClickException("this is neither YAML nor JSON") from wrong
    if not isinstance(form, dict):
        raise click.ClickException("a recipe is a mapping of fields, such as name, repo and args")
    return {str(name): value for name, value in form.items()}
