"""What is told of a remedy, in the words of ``service.action``."""

from typing import Any

from spark_common.events import ServiceAction
from spark_health.remedies.record import Claim

_MOST_EVIDENCE = 6


def done(claim: Claim, *, ok: bool, message: str) -> dict[str, Any]:
    """Return the entry of the outbox for a restart that is over."""
    return _entry(f"restart:{claim.id}", claim, ok=ok, message=message, decision="acted")


def suggested(claim: Claim, press: str) -> dict[str, Any]:
    """Return the entry for a restart that a person is to press."""
    return _entry(f"suggest:{claim.id}", claim, ok=False, message=press, decision="suggested")


def gave_up(claim: Claim, press: str) -> dict[str, Any]:
    """Return the entry for a circuit that opens."""
    return _entry(f"gave-up:{claim.id}", claim, ok=False, message=press, decision="gave_up")


def _entry(id: str, claim: Claim, *, ok: bool, message: str, decision: Any) -> dict[str, Any]:
    others = claim.services[1:]
    event = ServiceAction(
        service=claim.services[0],
        host=claim.host or None,
        action="restart",
        automatic=claim.automatic,
        requested_by=claim.requested_by,
        reason=claim.reason,
        ok=ok,
        message=message,
        at=claim.at,
        evidence=[
            *claim.evidence[:_MOST_EVIDENCE],
            *([f"also helps: {', '.join(others)}"] if others else []),
        ],
        container=claim.container or None,
        decision=decision,
    )
    return {"id": id, "data": event.model_dump(mode="json")}
