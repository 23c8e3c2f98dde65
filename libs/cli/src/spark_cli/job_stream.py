"""Following a swap or a job to its end, and stopping one."""

import json
from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient
from spark_cli.words import duration

FAILED = 1
"""Exit code when a swap or job ended without success."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
PLACES = {
    "swap": "/api/swap",
    "download": "/api/downloads",
    "update": "/api/updates/jobs",
    "install": "/api/embedding/jobs",
    "nim": "/api/nim/jobs",
    "overlay": "/api/speech-models/jobs",
    "bridge": "/api/matrix-bridge/jobs",
}
"""Where the API has each kind."""
_EVENTS = {"nim": "install", "bridge": "install"}
"""First word of the events of kinds that are told under another one's."""
_OVER = frozenset({"ready", "rolled_back", "complete", "failed", "cancelled"})


def follow(
    context: click.Context, client: GatewayClient, kind: str, id: str, *, as_json: bool
) -> None:
    """Print what happens until the outcome; exits with 1 when it is a bad one."""
    try:
        well = _followed(client, kind, id, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"\nnot followed any more; {kind} {id} goes on", err=True)
        context.exit(INTERRUPTED)
    if not well:
        context.exit(FAILED)


def stop(client: GatewayClient, kind: str, id: str) -> tuple[Any, str]:
    """Ask to stop one; return the answer, and the same in words."""
    view = client.delete(address(PLACES[kind], id), {"requested_by": who_asks()})
    state = _state(view)
    said = f"is over: {_words(state)}" if state in _OVER else "is being stopped"
    return view, f"{_EVENTS.get(kind, kind)} {view['id']} {said}"


def _followed(client: GatewayClient, kind: str, id: str, *, as_json: bool) -> bool:
    place = address(PLACES[kind], id)
    told, word = None, _EVENTS.get(kind, kind)
    for event in client.events(f"{place}/stream"):
        outcome = event.name in (f"{word}.complete", f"{word}.failed")
        if as_json:
            click.echo(json.dumps({"event": event.name, "id": event.id, **event.body}))
        elif outcome:
            click.echo(_ending(event.body))
        elif event.name == f"{word}.progress":
            told = _tell_news(event.body, told)
        if outcome:
            return event.name == f"{word}.complete"
    view = client.get(place)
    if not as_json:
        click.echo(f"{_words(_state(view))}: {view['message']}")
    return _state(view) in ("ready", "complete")


def _state(view: dict[str, Any]) -> str:
    return str(view["phase"] if "phase" in view else view["state"])


def _words(state: str) -> str:
    return state.replace("_", " ")


def _tell_news(progress: dict[str, Any], told: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """Print where it stands, unless ``told``, and what was written; return where it stands.

    Every event says again where it stands, also the many that only bring lines of a log.
    """
    step = progress["phase"] if "phase" in progress else progress["step"]
    standing = (step, progress.get("percent"), progress.get("message", ""))
    if standing != told:
        click.echo(_standing(progress, *standing))
    for line in progress.get("lines", []):
        click.echo(f"{'':>12}  | {line}")
    return standing


def _standing(progress: dict[str, Any], step: str, percent: float | None, message: str) -> str:
    moved = progress.get("previous_phase") or progress.get("previous_step")
    left = progress.get("eta_seconds")
    head = step if moved or percent is None else f"{percent:.1f}%"
    tail = f"About {duration(left)} left." if left is not None else ""
    return f"{head:>12}  {' '.join(filter(None, (message, tail)))}".rstrip()


def _ending(outcome: dict[str, Any]) -> str:
    """Return how it ended and, when it did not go well, what to do."""
    cause = outcome.get("cause") or {}
    word = _words(outcome.get("outcome", "ready"))
    said = outcome.get("message") or cause.get("sentence")
    head = f"{word} after {duration(outcome['total_seconds'])}"
    lines = [f"{head}: {said}" if said else head]
    lines += [f"  > {line}" for line in cause.get("evidence", [])]
    if cause:
        lines.append(f"what to do: {cause['action']}")
    if outcome.get("degraded"):
        lines.append(f"but degraded: {outcome['degraded']}")
    return "\n".join(lines)
