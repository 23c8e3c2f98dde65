"""The verbs about settings: each translates, asks, and translates back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.owner_settings import (
    CHANGE_SETTINGS,
    GET_SETTINGS,
    READ_OVERLAY,
    ChangeSettings,
    GetSettings,
    Overlay,
    ReadOverlay,
    SettingsView,
)
from spark_common.owner import Table
from spark_coordinator.owner.editing import Editing
from spark_coordinator.owner.store import OverlayStore
from spark_coordinator.owner.viewing import view

MoreWarnings = Callable[[SettingsView], Awaitable[Sequence[str]]]
"""Given what is shown already, returns sentences for people that are to be shown as well."""


class SettingsVerbs:
    """Answers for settings. Values of secrets come in and never go out."""

    def __init__(
        self,
        store: OverlayStore,
        editing: Editing,
        table: Table,
        environment: Mapping[str, str],
        warnings: Sequence[MoreWarnings] = (),
    ) -> None:
        self._store = store
        self._editing = editing
        self._table = table
        self._environment = environment
        self._warnings = warnings

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_SETTINGS, self.get),
            Serving(CHANGE_SETTINGS, self.change),
            Serving(READ_OVERLAY, self.overlay),
        )

    async def get(self, _request: GetSettings) -> SettingsView:
        """Return all settings."""
        shown = view(self._table, await self._store.read(), self._environment)
        told = await asyncio.gather(*(more(shown) for more in self._warnings))
        sentences = dict.fromkeys(one for part in (shown.warnings, *told) for one in part)
        return shown.model_copy(update={"warnings": list(sentences)})

    async def change(self, request: ChangeSettings) -> SettingsView:
        """Change settings, all or none; return what holds then."""
        await self._editing.change(
            request.values, request.secrets, request.version, request.requested_by
        )
        return await self.get(GetSettings())

    async def overlay(self, request: ReadOverlay) -> Overlay:
        """Return the owner's values that are no secrets."""
        owner = await self._store.newer(request.known_version)
        if owner is None:
            return Overlay(version=request.known_version or 0)
        return Overlay(version=owner.version, values=dict(owner.values))
