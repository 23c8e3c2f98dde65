"""``sparkctl test``: whether a model could be started, without starting it."""

from typing import Any

import click

from spark_cli.asking import address
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table

BAD = 1
"""Exit code when something is definitely wrong."""


@click.command()
@click.argument("model")
@click.option("--deep", is_flag=True, help="Also read the model's configuration; slower.")
@click.option("--flag", "flags", multiple=True, help="A vLLM flag, as if it were saved.")
@AS_JSON
@click.pass_context
def test(
    context: click.Context, model: str, deep: bool, flags: tuple[str, ...], as_json: bool
) -> None:
    """Test MODEL with vLLM's own parser and against what the Sparks have; starts nothing."""
    body: dict[str, Any] = {"deep": deep}
    if flags:
        body["flags"] = list(flags)
    result = GatewayClient(gateway_url()).post(address("/api/swap", model, "validate"), body)
    tell(result, as_json, render)
    if not result["ok"]:
        context.exit(BAD)


def render(result: dict[str, Any]) -> str:
    """Return the checks, the launch, and what to do."""
    rows = [("check", "answer", "on", "")]
    rows += [
        (check["name"], check["verdict"], check.get("host") or "", check["sentence"])
        for check in result["checks"]
    ]
    lines = [table(rows), "", f"launch: {result['launch_cmd'] or '-'}"]
    cause = result.get("cause")
    if cause is not None:
        lines += [f"bad: {cause['sentence']}"]
        lines += [f"  > {line}" for line in cause.get("evidence", [])]
        lines += [f"what to do: {cause['action']}"]
    elif result["verdict"] == "unknown":
        lines += [f"not certain: {result['error']}", result["note"]]
    else:
        lines += [result["note"]]
    return "\n".join(lines)
