"""What the loop needs of the record, so that it runs without one in tests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from spark_common.contracts.health import Maintenance
from spark_health.watching.standing import Standing
from spark_health.watching.uptime import Counted


class KeepsStandings(Protocol):
    """Every method raises UnavailableError while the record is away."""

    async def all(self) -> dict[str, Standing]:
        """Return what was known of every target."""
        ...

    async def one(self, target: str) -> Standing | None:
        """Return what is known of one target."""
        ...

    async def settle(self, target: str, after: Standing, entry: Mapping[str, object]) -> bool:
        """Write a transition and its event, once; False when somebody else was faster."""
        ...

    async def save(self, target: str, standing: Standing) -> bool:
        """Write what was seen lately; False when a transition came in between."""
        ...

    async def forget(self, target: str) -> None:
        """Drop what nobody watched for a long time."""
        ...


class KeepsUptime(Protocol):
    """Every method raises UnavailableError while the record is away."""

    async def read(self, target: str) -> Counted:
        """Return what was counted of a target."""
        ...

    async def write(self, target: str, counted: Counted, now: datetime) -> None:
        """Write the hours that changed; drop old ones."""
        ...


class KnowsMaintenance(Protocol):
    """The windows as last read."""

    @property
    def windows(self) -> Sequence[Maintenance]:
        """Those that run or come."""
        ...

    async def refresh(self) -> None:
        """Read them again. Raises UnavailableError."""
        ...


class Wakes(Protocol):
    """Whoever tells what was written."""

    def wake(self) -> None:
        """Something was just written."""
        ...
