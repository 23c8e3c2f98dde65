"""Accountability: what every holder did with the cluster. Times and counts, no content."""

from datetime import date

from pydantic import Field

from spark_common.contracts.rpc import Reply, Request, Rpc


class GetAccountability(Request):
    """Ask for the last days, today included."""

    days: int = Field(default=7, ge=1, le=400)


class HolderDay(Reply):
    """One holder on one day (UTC). Minutes."""

    day: date
    held_minutes: float = 0.0
    idle_minutes: float = 0.0
    """Of the held ones: nothing was in flight and no swap ran."""
    swaps: int = 0
    imposed_minutes: float = 0.0
    """Waiting it caused: others in line while it held, and requests held off by its swaps."""


class HolderAccount(Reply):
    """One holder over all days asked for."""

    holder: str
    leases: int = 0
    held_minutes: float = 0.0
    idle_minutes: float = 0.0
    swaps: int = 0
    imposed_minutes: float = 0.0
    days: list[HolderDay] = []


class Accountability(Reply):
    """Every holder, the one who held longest first."""

    since: date
    until: date
    holders: list[HolderAccount] = []
    """At most fifty by name, the rest together as ``others``."""
    free_minutes: float = 0.0
    """Nobody held the lease, since the first thing that is recorded."""
    problems: list[str] = []
    """Why numbers may be missing, one plain sentence each."""


GET_ACCOUNTABILITY = Rpc("rpc.coordinator.accountability.get", GetAccountability, Accountability)
