"""``sparkctl knobs``: the five switches of a recipe, and further flags of vLLM."""

from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.recipe_words import refused, render_detail, render_preview

REFUSED = 1


@click.command()
@click.argument("model")
@click.option("--max-model-len", type=click.IntRange(min=1), help="Longest context in tokens.")
@click.option(
    "--gpu-memory-utilization",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the memory, 0 to 1.",
)
@click.option("--fast-load/--no-fast-load", default=None, help="Load with fastsafetensors.")
@click.option("--prefix-caching/--no-prefix-caching", default=None, help="Reuse equal beginnings.")
@click.option("--fp8-kv-cache/--no-fp8-kv-cache", default=None, help="A cache of half the size.")
@click.option("--flag", "flags", multiple=True, help="A further flag: --flag=--max-num-seqs=4.")
@click.option("--drop", "dropped", multiple=True, help="Take one of your further flags away.")
@click.option("--reset", is_flag=True, help="Back to the recipe's own values.")
@click.option("--dry-run", is_flag=True, help="Show what it would run; save nothing.")
@AS_JSON
@click.pass_context
def knobs(
    context: click.Context,
    /,
    model: str,
    flags: tuple[str, ...],
    dropped: tuple[str, ...],
    reset: bool,
    dry_run: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Show or set the knobs of MODEL (its key); what is not named stays as it is."""
    client = GatewayClient(gateway_url())
    detail = client.get(address("/api/models", model, "recipe"))
    asked = {name: value for name, value in values.items() if value is not None}
    if asked or flags or dropped or reset:
        wanted, listed = {**detail["knobs"], **asked}, merged(detail["flags"], flags, dropped)
        if reset:
            wanted, listed = detail.get("bundled_knobs") or {}, []
        if dry_run:
            body = {"model": detail["form"]["key"], "knobs": wanted, "flags": listed}
            preview = client.post("/api/recipes/preview", body)
            tell(preview, as_json, render_preview)
            context.exit(REFUSED if refused(preview) else 0)
        order = {"knobs": wanted, "flags": listed, "reset": reset, "requested_by": who_asks()}
        detail = client.put(address("/api/models", model, "knobs"), order)
    tell(detail, as_json, render_detail)


def merged(present: list[str], added: tuple[str, ...], dropped: tuple[str, ...]) -> list[str]:
    """Return the list of further flags with some added, exchanged or taken away."""
    names = {name_of(flag) for flag in (*added, *dropped)}
    kept: list[str] = []
    keeping = True
    for word in present:
        if word.startswith("-"):
            keeping = name_of(word) not in names
        if keeping:
            kept.append(word)
    return [*kept, *added]


def name_of(flag: str) -> str:
    """Return the name of a flag however it is spelled: ``--no-x_y=1`` is ``x-y``."""
    bare = flag.lstrip("-").partition("=")[0].partition(" ")[0]
    return bare.replace("_", "-").removeprefix("no-")
