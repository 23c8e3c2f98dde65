"""API keys as part of the state that is exported and imported: their hashes, never the keys."""

from collections.abc import Mapping, Sequence
from typing import Literal

import structlog
from pydantic import ValidationError

from spark_common.errors import ConflictError, InvalidRequestError
from spark_coordinator.api_keys.record import ApiKey
from spark_coordinator.api_keys.registry import KeyRegistry
from spark_coordinator.api_keys.store import KeyStore
from spark_coordinator.owner.state.section import Entry, Exported, TakenIn

_log = structlog.get_logger()


class KeysAsState:
    """All keys. A hash opens nothing, so it is not among the sealed secrets."""

    name: Literal["api_keys"] = "api_keys"

    def __init__(self, store: KeyStore, registry: KeyRegistry) -> None:
        self._store = store
        self._registry = registry

    async def export(self) -> Exported:
        """Return all keys. Raises UnavailableError while Redis is away."""
        kept = await self._store.read()
        keys = [] if kept is None else list(kept.keys.values())
        return Exported([key.model_dump(mode="json") for key in keys])

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Save keys, replacing what has the same id: who has the text of one can use it again.

        Repeating is harmless. Raises UnavailableError while Redis is away.
        """
        taken, warnings = 0, list[str]()
        for entry in sorted(entries, key=_lasting_first):
            name = str(entry.get("name", "without a name"))[:80]
            try:
                await self._registry.put(ApiKey.model_validate(entry), requested_by)
            except (InvalidRequestError, ConflictError) as error:
                warnings.append(f"API key {name}: {error.message}")
            except ValidationError:
                warnings.append(f"API key {name}: it is in no form that is known here")
            else:
                taken += 1
        _log.info("keys.taken_in", keys=taken, requested_by=requested_by)
        return TakenIn(taken, warnings=warnings)


def _lasting_first(entry: Entry) -> bool:
    """The first admin key must be one that lasts."""
    return entry.get("expires_at") is not None
