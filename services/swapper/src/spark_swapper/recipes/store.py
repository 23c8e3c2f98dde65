"""The recipes in force: one immutable book, exchanged by reference after every change."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from spark_swapper.recipes.book import RecipeBook, compose
from spark_swapper.recipes.own_file import OwnFile, Signature

log = structlog.get_logger()

Edit = Callable[[RecipeBook], tuple[str, Mapping[str, Any] | None]]
"""From the book in force to a key and the owner's new fields for it; None removes them."""


class Recipes:
    """Holds the book and saves changes of it, one after the other."""

    def __init__(self, path: Path) -> None:
        """``path``: the owner's file; it need not exist."""
        self._file = OwnFile(path)
        self._saving = asyncio.Lock()
        self._seen: Signature | None = None
        self._book = self._read()

    @property
    def book(self) -> RecipeBook:
        """The book that is in force now."""
        return self._book

    def notice(self) -> bool:
        """Read the owner's file again when a person changed it; return whether the book changed."""
        if self._saving.locked() or self._file.signature() == self._seen:
            return False
        before, self._book = self._book, self._read()
        if before == self._book:
            return False
        log.info("recipes.changed_by_hand", problems=len(self._book.problems))
        return True

    async def change(self, edit: Edit) -> RecipeBook:
        """Save what ``edit`` makes of the book in force; return the new book.

        ``edit`` refuses by raising. Raises ConflictError and UnavailableError as OwnFile.write;
        then nothing changed.
        """
        async with self._saving:
            if self._file.signature() != self._seen:
                self._book = await asyncio.to_thread(self._read)
            key, fields = edit(self._book)
            await asyncio.to_thread(self._file.write, key, fields)
            self._book = await asyncio.to_thread(self._read)
            return self._book

    async def raw(self) -> str:
        """Return the owner's file as it is; raises ConflictError as OwnFile.raw."""
        return await asyncio.to_thread(self._file.raw)

    async def replace(self, text: str) -> RecipeBook:
        """Put another owner's file in place; return the new book.

        Raises InvalidRequestError and UnavailableError as OwnFile.replace; then nothing changed.
        """
        async with self._saving:
            await asyncio.to_thread(self._file.replace, text)
            self._book = await asyncio.to_thread(self._read)
            return self._book

    def _read(self) -> RecipeBook:
        # The mark first: what is written between mark and reading is read again next time.
        self._seen = self._file.signature()
        return compose(self._file.read(), self._file.path.name)
