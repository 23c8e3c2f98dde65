"""``sparkctl suggest``: a recipe for a model that has none."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import gigabytes, table

_FIELDS = (
    ("mode", "mode"),
    ("tensor_parallel", "Sparks"),
    ("image", "image"),
    ("served_name", "served as"),
    ("context_length", "context"),
    ("quantization", "quantization"),
    ("tool_parser", "tool parser"),
    ("reasoning_parser", "reasoning parser"),
    ("capabilities", "capabilities"),
)


@click.command()
@click.argument("repo")
@AS_JSON
def suggest(repo: str, as_json: bool) -> None:
    """Infer a launch recipe for REPO from its files on a Spark."""
    suggestion = GatewayClient(gateway_url()).get("/api/models/suggest", repo=repo)
    tell(suggestion, as_json, render)


def render(suggestion: dict[str, Any]) -> str:
    """Return every value with where it comes from and how sure it is."""
    head = (
        f"{suggestion['repo']}  {gigabytes(suggestion['size_bytes'])}"
        f"  read from {suggestion['read_from']}"
    )
    rows = [("", "value", "how sure", "from", "note")]
    rows += [_row(label, suggestion[field]) for field, label in _FIELDS]
    rows += [_row("trait", trait) for trait in suggestion.get("traits", [])]
    rows += [_row("argument", argument) for argument in suggestion.get("args", [])]
    rows += [_row("environment", setting) for setting in suggestion.get("env", [])]
    warnings = [f"note: {warning}" for warning in suggestion.get("warnings", [])]
    return "\n".join([head, table(rows), *warnings])


def _row(label: str, suggested: dict[str, Any]) -> tuple[str, str, str, str, str]:
    value = suggested["value"]
    shown = ", ".join(value) if isinstance(value, list) else value
    return (
        label,
        "-" if shown in {None, ""} else str(shown),
        suggested["certainty"],
        suggested["source"],
        suggested.get("note") or "",
    )
