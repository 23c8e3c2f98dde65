"""The owner's recipes as one file: read and replaced whole, for export and import of all state."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from spark_common.bus.port import Serving
from spark_common.contracts.overrides import (
    READ_OVERRIDES,
    WRITE_OVERRIDES,
    Overrides,
    ReadOverrides,
    WriteOverrides,
)
from spark_swapper.recipes import Recipes

_log = structlog.get_logger()


class OverrideVerbs:
    """Answers for ``models.override.yaml``."""

    def __init__(self, recipes: Recipes, changed: Callable[[], Awaitable[None]]) -> None:
        """``changed`` is told after every replacement."""
        self._recipes = recipes
        self._changed = changed

    def verbs(self) -> Sequence[Serving]:
        """Return both verbs."""
        return (
            Serving(READ_OVERRIDES, self.read),
            Serving(WRITE_OVERRIDES, self.write, limit=1),
        )

    async def read(self, _request: ReadOverrides) -> Overrides:
        """Return the file as it is. Raises ConflictError for one that cannot be read."""
        return Overrides(text=await self._recipes.raw(), problems=list(self._recipes.book.problems))

    async def write(self, request: WriteOverrides) -> Overrides:
        """Replace the file; entries that are no good are left out of the book and told."""
        book = await self._recipes.replace(request.text)
        _log.info("recipes.replaced", by=request.requested_by, problems=len(book.problems))
        await self._changed()
        return Overrides(text=request.text, problems=list(book.problems))
