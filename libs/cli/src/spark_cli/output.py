"""How every command prints an answer: for people, or in the words of the API."""

import json
from collections.abc import Callable
from typing import Any

import click

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, in the words of the API."
)


def tell(answer: Any, as_json: bool, render: Callable[[Any], str], *, line: bool = False) -> None:
    """Print an answer as JSON, on one line where more of them follow, or as ``render`` says."""
    click.echo(json.dumps(answer, indent=None if line else 2) if as_json else render(answer))
