"""``sparkctl access``: our public key, and whether a Spark lets us in."""

from typing import Any
from urllib.parse import quote

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell

LOCKED_OUT = 1
"""Exit code when a person has to do something first."""
_PATH = "/api/access"


@click.command()
@click.argument("spark", required=False)
@AS_JSON
@click.pass_context
def access(context: click.Context, spark: str | None, as_json: bool) -> None:
    """Show the public key and the command for the Sparks; with SPARK, log in to it anew.

    Logging in looks around as well: Docker, driver, launcher. It changes nothing there.
    """
    client = GatewayClient(gateway_url())
    if spark is None:
        found = client.get(_PATH)
        tell(found, as_json, render)
        well = found["public_key"] is not None
    else:
        found = client.post(f"{_PATH}/{quote(spark, safe='')}/test", {})
        tell(found, as_json, render_test)
        well = found["ok"]
    if not well:
        context.exit(LOCKED_OUT)


def render(found: dict[str, Any]) -> str:
    """Return the key, and what to paste where."""
    if found["public_key"] is None:
        return f"there is no key: {found['problem']}"
    places = [
        f"  {host['label']}: {host['user']}@{host['address']} port {host['ssh_port']}"
        for host in found["hosts"]
    ]
    return "\n".join(
        [
            found["public_key"],
            found["fingerprint"],
            "",
            "paste on each Spark, as that user; twice does no harm:",
            f"  {found['command']}",
            *places,
            "",
            "then: sparkctl access SPARK",
        ]
    )


def render_test(found: dict[str, Any]) -> str:
    """Return what was tried, with what to do about it."""
    lines = [f"{found['label']}: " + ("connected" if found["ok"] else "not connected")]
    for step in found["steps"]:
        lines.append(f"  {'ok  ' if step['ok'] else 'FAIL'}  {step['sentence']}")
        if step["action"]:
            lines.append(f"        {step['action']}")
    return "\n".join(lines)
