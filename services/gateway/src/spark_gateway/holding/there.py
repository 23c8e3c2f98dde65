"""Whether a model is there, as those know it who route requests and look at the model server."""

from collections.abc import Callable, Set
from typing import Protocol

from spark_common.contracts.models import RuntimeView
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.ports import Field, Refusal, Upstream
from spark_gateway.dataplane.watch import Served
from spark_gateway.holding.news import Ended
from spark_gateway.holding.room import ANY


class Door(Protocol):
    """The router of ``/v1``, as far as it knows what is being loaded."""

    def route(self, method: bytes, path: bytes, headers: tuple[Field, ...]) -> Upstream | Refusal:
        """Return where to send a request, or what to answer."""
        ...

    def held_off_by(self) -> str | None:
        """Return the id of the swap because of which nobody is let through; None: none does."""
        ...

    def loading(self, path: bytes) -> Refusal | None:
        """Return how the swap that runs stands, in the words of a refusal; None: none runs."""
        ...

    def starting(self) -> RuntimeView | None:
        """Return what is said of a model that starts without a swap."""
        ...


class Look(Protocol):
    """Whoever looks at the model server."""

    served: Served
    looked_at: float

    def on_look(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every look."""
        ...


class There:
    """Nothing here waits: all of it is what was seen and heard last."""

    def __init__(
        self, door: Door, look: Look, catalogue: Catalogue, loaded: Callable[[], Set[str]]
    ) -> None:
        """``loaded``: every name of the loaded model, casefolded."""
        self._door = door
        self._look = look
        self._catalogue = catalogue
        self._loaded = loaded

    def serves(self, wanted: str, path: bytes) -> bool:
        """Whether a request for this model would be answered now."""
        if self._look.served.state != "serving" or self._door.held_off_by() is not None:
            return False
        if isinstance(self._door.route(b"POST", path, ()), Refusal):
            return False
        if wanted == ANY:
            return True
        known = self._catalogue.find(wanted)
        return wanted.casefold() in self._loaded() or (known is not None and known.served)

    def shows(self, ended: Ended) -> bool:
        """Whether it was seen what came of a swap: the model server as it should be now."""
        if self._look.looked_at < ended.at:
            return False
        return ended.serving is None or self._look.served.state == "serving"

    def loading(self, path: bytes) -> Refusal | None:
        """Return how the swap that runs stands; None while none does."""
        return self._door.loading(path)

    def starting(self) -> RuntimeView | None:
        """Return what is said of a model that starts without a swap."""
        return self._door.starting()
