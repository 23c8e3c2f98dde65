"""One service that is always on: where it answers, and which container it is."""

from dataclasses import dataclass

from spark_common.contracts.services import Origin, ServiceAct, ServiceKind
from spark_health.services.logins import Login


@dataclass(frozen=True)
class Service:
    """As the settings or the lists have it now."""

    name: str
    label: str
    kind: ServiceKind
    origin: Origin
    login: Login | None = None
    """Where its container is; None where nobody can log in."""
    container: str | None = None
    address: str | None = None
    port: int | None = None
    path: str = "/health"
    blocks: bool = False
    """Its event loop stands still while it works: no answer is no fault."""
    on_gpu: bool = False
    """Whether it keeps a model on the GPU: whoever holds the cluster counts on what is there."""
    touchable: bool = True
    """Whether its container may be started and stopped from here."""

    @property
    def url(self) -> str | None:
        """Its address with scheme and port; None for what has no port."""
        if self.address is None or self.port is None:
            return None
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}"

    @property
    def spark(self) -> str | None:
        """The Spark it runs on."""
        return self.login.spark if self.login is not None else None

    @property
    def has_container(self) -> bool:
        """Whether docker can be asked about it."""
        return self.login is not None and self.container is not None

    @property
    def actions(self) -> tuple[ServiceAct, ...]:
        """What may be done with it."""
        return ("start", "stop", "restart") if self.touchable and self.has_container else ()
