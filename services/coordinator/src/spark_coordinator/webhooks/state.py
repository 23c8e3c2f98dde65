"""Targets as part of the state that is exported and imported."""

from collections.abc import Mapping, Sequence
from typing import Literal

import structlog
from pydantic import SecretStr, ValidationError

from spark_common.clock import Clock
from spark_common.contracts.webhooks import PutTarget
from spark_common.errors import ConflictError, InvalidRequestError
from spark_coordinator.owner.state.section import Entry, Exported, TakenIn
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import DEFAULT_ID, Target

_FROM_SETTINGS, _SIGNED = "from_settings", "signed"

_log = structlog.get_logger()


class TargetsAsState:
    """All targets; of the one of the settings only what the owner chose beside them."""

    name: Literal["webhooks"] = "webhooks"

    def __init__(self, store: WebhookStore, registry: Registry, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock

    async def export(self) -> Exported:
        """Return all targets. Raises UnavailableError while Redis is away."""
        targets = (await self._store.targets()).values()
        secrets = {one.id: _secret(one) for one in targets if not one.from_settings}
        return Exported(
            sorted((_entry(one) for one in targets), key=lambda entry: str(entry["id"])),
            {name: secret for name, secret in secrets.items() if secret},
        )

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Save targets, replacing what has the same id; without its secret it keeps the standing.

        One that was signed and gets no secret is switched off: nothing is sent unsigned because
        of an import. Repeating is harmless. Raises UnavailableError while Redis or the bus is away.
        """
        taken, with_secret, warnings = 0, 0, list[str]()
        for entry in entries:
            name = str(entry.get("id", "without an id"))[:80]
            secret = secrets.get(name)
            try:
                target = await self._take(entry, secret)
            except (InvalidRequestError, ConflictError) as error:
                warnings.append(f"webhook target {name}: {error.message}")
            except ValidationError:
                warnings.append(f"webhook target {name}: it is in no form that is known here")
            else:
                taken += 1
                with_secret += bool(secret)
                if entry.get("enabled", True) and not target.enabled:
                    warnings.append(
                        f"webhook target {name}: it is off; enter its secret, then switch it on"
                    )
        _log.info("webhook.targets_taken_in", targets=taken, requested_by=requested_by)
        return TakenIn(taken, with_secret, warnings)

    async def _take(self, entry: Entry, secret: str | None) -> Target:
        form = {key: one for key, one in entry.items() if key not in (_FROM_SETTINGS, _SIGNED)}
        if entry.get(_FROM_SETTINGS) is True and entry.get("id") == DEFAULT_ID:
            return await self._take_default(PutTarget.model_validate(form))
        if secret:
            webhook = entry.get("kind", "webhook") == "webhook"
            form["secret" if webhook else "address"] = secret
        elif entry.get(_SIGNED) is True and not await self._has_secret(entry.get("id")):
            form["enabled"] = False
        return await self._registry.put(PutTarget.model_validate(form))

    async def _take_default(self, chosen: PutTarget) -> Target:
        """Keep the owner's choices; url and secret come out of the settings by themselves."""

        def changed(standing: Target | None) -> Target:
            made = standing or Target(
                id=DEFAULT_ID, name="", from_settings=True, created_at=self._clock.now()
            )
            facts = {
                "name": chosen.name or made.name,
                "topics": tuple(dict.fromkeys(chosen.topics)),
                "enabled": chosen.enabled,
            }
            return made.model_copy(update=facts)

        return await self._registry.change(DEFAULT_ID, changed, check=False)

    async def _has_secret(self, id: object) -> bool:
        standing, _ = await self._store.target(str(id))
        return standing is not None and standing.secret is not None


def _entry(target: Target) -> Entry:
    entry: Entry = {
        "id": target.id,
        "name": target.name,
        "kind": target.kind,
        "topics": list(target.topics),
        "enabled": target.enabled,
    }
    if target.from_settings:
        return entry | {_FROM_SETTINGS: True}
    return entry | {"url": target.url, _SIGNED: target.secret is not None}


def _secret(target: Target) -> str | None:
    held: SecretStr | None = target.secret if target.kind == "webhook" else target.address
    return None if held is None else held.get_secret_value()
