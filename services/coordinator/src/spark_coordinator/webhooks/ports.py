"""What the webhooks need of the world outside: names, and ways to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spark_common.forbidden_address import IpAddress
from spark_coordinator.webhooks.targets import Target


@dataclass(frozen=True)
class Parcel:
    """One try: the constant id and bytes of a delivery."""

    id: str
    body: str


@dataclass(frozen=True)
class Answer:
    """What became of one try."""

    ok: bool
    status: int | None = None
    """HTTP status, where there was one."""
    problem: str | None = None
    """One plain sentence; None when it went well. Holds no secret and no address."""
    gone: bool = False
    """The receiver wants nothing any more: 410."""


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def resolve(self, owner: str, host: str) -> Sequence[IpAddress]:
        """Return every address, once; raises SendError. ``owner`` is the target asking."""
        ...


class Sender(Protocol):
    """Sends to one kind of target."""

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """Try once, within seconds; never raises for what the other side does."""
        ...


class SendError(Exception):
    """A try that went wrong; the text is a plain sentence without address or secret."""
