"""``sparkctl flags``: the flags of vLLM that a recipe may have."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table


@click.command()
@click.argument("word", default="")
@AS_JSON
def flags(word: str, as_json: bool) -> None:
    """List the flags of vLLM, or those with WORD in their name, with what they take."""
    known = GatewayClient(gateway_url()).get("/api/recipes/flags")
    wanted = word.strip("-").replace("_", "-").lower()
    found = {**known, "flags": [flag for flag in known["flags"] if wanted in flag["flag"].lower()]}
    tell(found, as_json, render)


def render(found: dict[str, Any]) -> str:
    """Return one row per flag: its name, its kind or choices, what it does."""
    rows = [("flag", "takes", "")]
    rows += [
        (flag["flag"], " | ".join(flag.get("choices") or [flag["kind"]]), flag.get("help", ""))
        for flag in found["flags"]
    ]
    version = f"of vLLM {found['vllm_version']}" if found.get("vllm_version") else "of vLLM"
    return "\n".join([version, table(rows)]) if len(rows) > 1 else "there is no such flag"
