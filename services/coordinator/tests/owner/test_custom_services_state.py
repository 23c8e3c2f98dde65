"""Services of one's own go out with the state as they stand in the file, and come back."""

import pytest

from spark_common.bus.port import Serving
from spark_common.contracts.services import (
    READ_OWN_SERVICES,
    SAVE_SERVICE,
    OwnServices,
    ReadOwnServices,
    SaveService,
    ServiceView,
)
from spark_common.errors import ConflictError, ServiceUnavailableError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.owner.state.custom_services import CustomServices

WIKI = {"name": "wiki", "kind": "http", "host": "spark2", "port": 8188, "path": "/health"}
BOT = {"name": "bot", "kind": "bot", "container": "bot"}


async def test_they_come_back_as_they_were_and_what_cannot_be_used_is_said():
    broker = MemoryBroker(clock=FakeClock())
    section = CustomServices(MemoryBus("coordinator", broker))
    with pytest.raises(ServiceUnavailableError):
        await section.export()
    book: dict[str, dict[str, object]] = {"wiki": WIKI, "bot": BOT}

    async def own(_: ReadOwnServices) -> OwnServices:
        return OwnServices.model_validate({"entries": list(book.values())})

    async def save(order: SaveService) -> ServiceView:
        if order.name == "qdrant":
            raise ConflictError("the name is taken by a built-in one")
        assert order.replace
        assert order.requested_by == "Alice"
        book[order.name] = order.model_dump(exclude={"replace", "requested_by"}, exclude_none=True)
        return ServiceView(
            name=order.name, label=order.name, kind="http", origin="custom", state="unknown"
        )

    verbs = [Serving(READ_OWN_SERVICES, own), Serving(SAVE_SERVICE, save)]
    await MemoryBus("health", broker).serve("health", "1", "services", verbs)
    entries = (await section.export()).entries
    book.clear()
    wrong = [{"name": "qdrant", "kind": "http", "port": 1}, {"kind": "http"}, {**WIKI, "sudo": 1}]
    for _ in range(2):
        taken = await section.take_in([*entries, *wrong], {}, "Alice")
        assert (taken.entries, len(taken.warnings)) == (2, 3)
    assert {name: one["kind"] for name, one in book.items()} == {"wiki": "http", "bot": "bot"}
    assert book["wiki"]["port"] == 8188
