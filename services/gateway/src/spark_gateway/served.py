"""What ``GET /v1/models`` knows: the models that the runtime serves right now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ServedModel:
    """A model as the runtime itself lists it. ``created`` in epoch seconds, lengths in tokens."""

    id: str
    created: int
    owned_by: str = "vllm"
    max_model_len: int | None = None
    root: str | None = None
    kind: str | None = None
    """What it is for, where its server says so: ``embedding``, ``rerank``."""


class ServedModels(Protocol):
    """Remembers what the runtime served when it was last looked at; never waits for it."""

    def models(self) -> Sequence[ServedModel]:
        """Return the loaded models; empty when nothing is loaded or nobody answers."""
        ...

    async def up_to_date(self) -> None:
        """Wait a moment, 50 ms at most, when a change was announced and is being looked at."""
        ...
