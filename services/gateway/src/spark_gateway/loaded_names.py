"""Every name that clients have for the loaded model, from everybody who knows one."""

from collections.abc import Callable, Iterable, Sequence

from pydantic import ValidationError

from spark_common.events import SwapComplete
from spark_gateway.served import ServedModel
from spark_gateway.streams.board import LiveSnapshot
from spark_gateway.streams.entry import Entry


class LoadedNames:
    """The names the model server lists, those of the menu, and those a swap just ended with.

    Where they differ for a moment all of them count: the model server itself has the last word.
    """

    def __init__(self, listed: Callable[[], Sequence[ServedModel]]) -> None:
        self._listed = listed
        self._menu: frozenset[str] = frozenset()
        self._swapped: frozenset[str] = frozenset()

    def __call__(self) -> frozenset[str]:
        """Return the names, casefolded; empty while nobody knows one."""
        listed = _names(name for model in self._listed() for name in (model.id, model.root))
        return listed | self._menu | self._swapped

    def on_entry(self, entry: Entry) -> None:
        """Take in the outcome of a swap: it is told before the next look at the model server."""
        if not entry.is_outcome:
            return
        try:
            swap = SwapComplete.model_validate(entry.content)
        except ValidationError:
            # It failed: what is loaded now, if anything, others will say.
            self._swapped = frozenset()
        else:
            if not swap.dry_run:
                self._swapped = _names((swap.model, swap.served_name))

    def on_picture(self, picture: LiveSnapshot) -> None:
        """Take in the menu; without one what was known stays."""
        if picture.menu is None:
            return
        runtime = picture.menu.runtime
        names = [runtime.model, runtime.served_name]
        for model in picture.menu.models:
            if model.loaded:
                names += [model.key, model.repo, model.served_name]
        self._menu = _names(names)


def _names(names: Iterable[str | None]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)
