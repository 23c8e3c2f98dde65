"""Changes of settings: checked against the table, made from one version to the next, then told."""

import asyncio
from collections.abc import Mapping

import structlog
from pydantic import JsonValue, SecretStr

from spark_common.bus.port import Bus
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    SparkError,
    UnavailableError,
)
from spark_common.events import SettingsChanged
from spark_common.ids import new_id
from spark_common.owner import OwnerValues, Table
from spark_common.subjects import SETTINGS_CHANGED
from spark_coordinator.owner.change import Change, Problem, check, refusal, told
from spark_coordinator.owner.store import Changed, OverlayStore

_TRIES = 10
"""Another coordinator may change settings between our look and our change."""
_log = structlog.get_logger()


class Editing:
    """One place through which every change goes, whoever asks for it."""

    def __init__(
        self, store: OverlayStore, table: Table, environment: Mapping[str, str], bus: Bus
    ) -> None:
        self._store = store
        self._table = table
        self._environment = environment
        self._bus = bus
        self._turn = asyncio.Lock()

    async def change(
        self,
        values: Mapping[str, JsonValue],
        secrets: Mapping[str, SecretStr | None],
        version: int | None,
        by: str,
    ) -> None:
        """Change all of it or nothing. Raises InvalidRequestError, ConflictError, Unavailable."""
        # In a thread: the check looks up names under .local.
        change, problems = await asyncio.to_thread(check, self._table, values, secrets)
        if problems:
            raise _refused(problems)
        await self.apply(change, version, by)

    async def apply(self, change: Change, version: int | None, by: str) -> Changed:
        """Make a change whose parts are fine alone; raises as ``change``."""
        # One after the other, or many at once would take the tries from each other.
        async with self._turn:
            changed = await self._exchange(change, version)
        if changed.names:
            _log.info("settings.changed", names=sorted(changed.names), by=by)
            await self._tell(changed)
        return changed

    async def _exchange(self, change: Change, version: int | None) -> Changed:
        for _ in range(_TRIES):
            owner = await self._store.read()
            if version is not None and version != owner.version:
                raise ConflictError(
                    f"the settings were changed meanwhile, to version {owner.version}: "
                    "look at them again, then repeat your change",
                    version=owner.version,
                )
            await self._require_agreement(change, owner)
            changed = await self._store.change(change, owner.version)
            if changed is not None:
                return changed
        raise UnavailableError("too many changes of settings at once; try again in a moment")

    async def require_agreement(self, change: Change) -> None:
        """Raise InvalidRequestError when its values would not fit together with the others."""
        await self._require_agreement(change, await self._store.read())

    async def _require_agreement(self, change: Change, owner: OwnerValues) -> None:
        # What did not fit before is no reason to refuse: the change may be the way out.
        before, after = await asyncio.to_thread(
            lambda: (
                self._table.disagreements({**self._environment, **owner.texts}),
                self._table.disagreements(change.over(owner, self._environment)),
            )
        )
        if new := [why for why in after if why not in before]:
            raise InvalidRequestError("; ".join(new) + "; nothing was changed")

    async def _tell(self, changed: Changed) -> None:
        hint = SettingsChanged(settings_version=changed.version, names=sorted(changed.names))
        try:
            await self._bus.publish(SETTINGS_CHANGED, hint, id=new_id())
        except SparkError as error:
            # Every service looks at the version by itself.
            _log.warning("settings.hint_lost", reason=error.message)


def _refused(problems: list[Problem]) -> InvalidRequestError:
    return InvalidRequestError(refusal(problems), problems=told(problems))
