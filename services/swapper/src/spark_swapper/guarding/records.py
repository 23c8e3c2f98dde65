"""What is remembered of a model from one swap to the next."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spark_common.contracts.models import LastTest, Menu
from spark_common.contracts.plans import Quarantine


@dataclass(frozen=True)
class ModelNote:
    """What a card says about a model beside what is on the disks."""

    test: LastTest | None = None
    quarantine: Quarantine | None = None


class ModelRecords(Protocol):
    """Notes by key of a model. Every method raises UnavailableError when the store is away."""

    async def notes(self, keys: Sequence[str]) -> Mapping[str, ModelNote]:
        """Return what is known of these models; all of them in one round trip."""
        ...

    async def keep_test(self, key: str, test: LastTest) -> None:
        """Remember the latest test or load, for ninety days."""
        ...

    async def quarantine(self, key: str, quarantine: Quarantine) -> None:
        """Remember that a model may not be loaded, until ``release``; the first reason stays."""
        ...

    async def release(self, key: str) -> Quarantine | None:
        """Forget it and return what it was; None when there was none."""
        ...


Notes = Callable[[Sequence[str]], Awaitable[Mapping[str, ModelNote]]]
"""Returns what is remembered of models by key; never raises."""


async def no_notes(keys: Sequence[str]) -> Mapping[str, ModelNote]:
    """Remember nothing."""
    return {}


def annotated(menu: Menu, notes: Mapping[str, ModelNote]) -> Menu:
    """Return the menu with the notes on its cards."""
    models = [
        model.model_copy(update={"test": note.test, "quarantine": note.quarantine})
        if (note := notes.get(model.key)) is not None
        else model
        for model in menu.models
    ]
    return menu.model_copy(update={"models": models})
