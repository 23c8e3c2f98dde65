"""``sparkctl deep-health``: real work through each service, and what is done when one is stuck."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell

TROUBLE = 1
"""Exit code when a service is failing, stuck or down."""
_BAD = frozenset({"failing", "wedged", "down"})


@click.command(name="deep-health")
@click.option("--run", "service", metavar="SERVICE", help="Do the job of this service now.")
@click.option("--restart", metavar="SERVICE", help="Restart what this service runs in.")
@click.option("--try-again", metavar="SERVICE", help="Let it be restarted by itself again.")
@click.option(
    "--force", is_flag=True, help="With --restart: although somebody else holds the cluster."
)
@click.option("--by", default="sparkctl", show_default=True, help="Who asks.")
@AS_JSON
@click.pass_context
def deep_health(
    context: click.Context,
    service: str | None,
    restart: str | None,
    try_again: str | None,
    force: bool,
    by: str,
    as_json: bool,
) -> None:
    """Show how each service did a small real job lately; exit code 1 when one could not."""
    client = GatewayClient(gateway_url())
    body: dict[str, Any] = {"requested_by": by}
    if restart and force:
        body |= {"force": True}
    if restart or try_again:
        name, verb = (restart, "apply") if restart else (try_again, "reset")
        tell(client.post(f"/api/deep-health/{name}/remedy/{verb}", body), as_json, remedy)
        return
    if service:
        found = client.post(f"/api/deep-health/{service}/run", body)
        rows = [found]
        tell(found, as_json, line)
    else:
        everything = client.get("/api/deep-health")
        rows = everything["services"]
        tell(everything, as_json, lambda all_of: "\n".join(map(line, all_of["services"])))
    if any((row.get("last") or {}).get("state") in _BAD for row in rows):
        context.exit(TROUBLE)


def line(row: dict[str, Any]) -> str:
    """Return one service in a line, and below it what is done about it."""
    if row["disabled"]:
        return f"{row['name']:<12} hidden"
    last = row.get("last")
    if last is None:
        return f"{row['name']:<12} {'running' if row['running'] else 'not checked yet'}"
    took = "" if last.get("latency_ms") is None else f" ({last['latency_ms']:.0f} ms)"
    text = f"{row['name']:<12} {last['state']:<8} {last['sentence']}{took}"
    about = row.get("remedy") or {}
    return text if about.get("state", "quiet") == "quiet" else f"{text}\n{remedy(about)}"


def remedy(view: dict[str, Any]) -> str:
    """Return what is done, and what can be pressed."""
    words = [view["sentence"] or "nothing is done", view.get("press") or ""]
    return f"{'':<12} {view['state']}: {' '.join(word for word in words if word)}"
