"""Targets as part of the state that is exported and imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import structlog
from pydantic import JsonValue, ValidationError

from spark_common.contracts.webhooks import PutTarget
from spark_common.errors import ConflictError, InvalidRequestError
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import Target

Entry: TypeAlias = dict[str, JsonValue]

_log = structlog.get_logger()


@dataclass(frozen=True)
class ExportedTargets:
    """Targets without what is secret in them; that is apart, by the id of its target."""

    entries: Sequence[Entry] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class TakenTargets:
    """What was taken in, and one sentence for each that could not be."""

    entries: int = 0
    secrets: int = 0
    warnings: Sequence[str] = ()


class TargetsAsState:
    """All targets but the one of the settings, which travels with them."""

    name: Literal["webhooks"] = "webhooks"

    def __init__(self, store: WebhookStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def export(self) -> ExportedTargets:
        """Return all targets. Raises UnavailableError while Redis is away."""
        targets = [one for one in (await self._store.targets()).values() if not one.from_settings]
        secrets = {one.id: _secret(one) for one in targets}
        return ExportedTargets(
            [_entry(one) for one in targets],
            {name: secret for name, secret in secrets.items() if secret},
        )

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenTargets:
        """Save targets, replacing what has the same id; without its secret it keeps the standing.

        Repeating is harmless. Raises UnavailableError while Redis or the bus is away.
        """
        taken, with_secret, warnings = 0, 0, list[str]()
        for entry in entries:
            name = str(entry.get("id", "without an id"))
            secret = secrets.get(name)
            where = "secret" if entry.get("kind", "webhook") == "webhook" else "address"
            given = entry | ({where: secret} if secret else {})
            try:
                await self._registry.put(PutTarget.model_validate(given))
            except (InvalidRequestError, ConflictError) as error:
                warnings.append(f"webhook target {name}: {error.message}")
            except ValidationError:
                warnings.append(f"webhook target {name}: it is in no form that is known here")
            else:
                taken += 1
                with_secret += bool(secret)
        _log.info("webhook.targets_taken_in", targets=taken, requested_by=requested_by)
        return TakenTargets(taken, with_secret, warnings)


def _entry(target: Target) -> Entry:
    return {
        "id": target.id,
        "name": target.name,
        "kind": target.kind,
        "url": target.url,
        "topics": list(target.topics),
        "enabled": target.enabled,
    }


def _secret(target: Target) -> str | None:
    held = target.secret if target.kind == "webhook" else target.address
    return None if held is None else held.get_secret_value()
