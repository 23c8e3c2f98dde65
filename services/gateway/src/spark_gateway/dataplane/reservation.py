"""While somebody holds the lease, a request that names another model than the loaded one waits.

Off unless the owner chose it. What is not known for certain never keeps a request off.
"""

import math
from collections.abc import Callable, Set
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from spark_common.clock import Clock
from spark_common.contracts.leases import LeaseView
from spark_gateway.dataplane.ports import Field, Refusal
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dialect import speaks_anthropic

WHATEVER_IS_LOADED: Final = frozenset({"", "auto"})
LONGEST_RETRY_SECONDS: Final = 60
"""Clients give up altogether when told to wait much longer."""
_DRAIN_RETRY_SECONDS: Final = 15


class Reservation:
    """Says to whom the lease says no, for as long as it binds requests."""

    def __init__(
        self,
        lease: Callable[[], LeaseView | None],
        loaded: Callable[[], Set[str]],
        clock: Clock,
    ) -> None:
        """``lease``: as it is now, None while it binds nobody or nobody knows.

        ``loaded``: every name of the loaded model, casefolded; empty while nobody knows.
        """
        self._lease = lease
        self._loaded = loaded
        self._clock = clock

    @property
    def binds(self) -> bool:
        """Whether it matters now which model a request names."""
        return self._lease() is not None

    def refusal(self, path: bytes, named: str | None) -> Refusal | None:
        """Return what to answer to a request that names this model, or None: it may pass."""
        lease = self._lease()
        if lease is None or named is None:
            return None
        loaded = self._loaded()
        if not loaded:
            return None
        name = named.strip().casefold()
        if name in WHATEVER_IS_LOADED or name in loaded:
            return None
        return reserved(path, lease, self._clock.now())


def reserved(path: bytes, lease: LeaseView, now: datetime) -> Refusal:
    """What is said to whom the lease says no: who holds it and until when, never why."""
    holder = lease.holder or "somebody"
    left = lease.remaining_seconds
    draining = lease.state == "draining"
    end = None if left is None or draining else now + timedelta(seconds=left)
    if draining:
        until = "and is about to be free again"
    else:
        until = "" if end is None else f"until {end:%Y-%m-%d %H:%M} UTC"
    message = (
        f"the GPU is reserved by {holder} {until}".rstrip()
        + '; ask for the loaded model (see /v1/models, or name "auto") or come back then'
    )
    reservation: dict[str, JsonValue] = {
        "holder": holder,
        "state": lease.state,
        "expires_at": None if end is None else end.isoformat(timespec="seconds"),
    }
    extra: dict[str, JsonValue] = {"reservation": reservation}
    if speaks_anthropic(path.decode("latin-1")):
        # This dialect's error has no place for a code of ours.
        extra["code"] = "gpu_reserved"
    return refuse(
        path, 503, "gpu_reserved", message, param="model", extra=extra, headers=_retry(lease)
    )


def _retry(lease: LeaseView) -> tuple[Field, ...]:
    """Come back soon when it is over soon; a long lease is not worth a client's retries."""
    left = _DRAIN_RETRY_SECONDS if lease.state == "draining" else lease.remaining_seconds
    soon = lease.state != "granted" and left is not None and left <= LONGEST_RETRY_SECONDS
    wait = max(1, math.ceil(left)) if soon and left is not None else LONGEST_RETRY_SECONDS
    return (
        (b"retry-after", str(wait).encode("ascii")),
        (b"x-should-retry", b"true" if soon else b"false"),
    )
