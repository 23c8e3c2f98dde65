"""A restart that was decided: written down before it is done, told when it is over."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Claim(BaseModel):
    """One restart of one run of one container."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    host: str
    container: str
    started_at: str
    """The run that is stuck; no other one is ever restarted for this."""
    services: list[str]
    """Everybody whom it helps."""
    reason: str
    evidence: list[str] = []
    at: datetime
    automatic: bool = True
    requested_by: str = "health"

    @property
    def key(self) -> str:
        """Return the name of the container in keys."""
        return key_of(self.host, self.container)


class Circuit(BaseModel):
    """Why no further restart is tried."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: datetime
    reason: str
    evidence: list[str] = []
    services: list[str] = []


def key_of(host: str, container: str) -> str:
    """Return the name of a container in keys."""
    return f"{host}/{container}"
