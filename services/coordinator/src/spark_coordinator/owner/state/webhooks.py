"""Webhook targets as a part of the exported state. What is owed to them is history and stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.webhooks import TargetId, TargetKind, Topic
from spark_common.errors import ConflictError, InvalidRequestError
from spark_coordinator.owner.state.section import Entry, Exported, SectionName, TakenIn
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.resolving import SystemResolver
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import DEFAULT_ID, Target
from spark_coordinator.webhooks.threads import OwnedThreads


class Kept(BaseModel):
    """A target without its secrets."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: TargetId
    name: str
    kind: TargetKind = "webhook"
    url: str | None = None
    shown_address: str | None = None
    topics: tuple[Topic, ...] = ("swap",)
    enabled: bool = True
    from_settings: bool = False
    """Its url and secret are settings."""
    has_secret: bool = False
    created_at: datetime


class WebhookState:
    """Entries are targets; their secrets and the addresses that hold some are apart."""

    name: SectionName = "webhooks"

    def __init__(self, store: WebhookStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def export(self) -> Exported:
        """Return all targets, by id."""
        targets = await self._store.targets()
        entries: list[Entry] = []
        secrets: dict[str, str] = {}
        for name in sorted(targets):
            target = targets[name]
            entries.append(_kept(target).model_dump(mode="json"))
            for what, secret in _secrets(target).items():
                secrets[f"{name}/{what}"] = secret.get_secret_value()
        return Exported(entries, secrets)

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Save all of them. One that was signed and comes without its secret is switched off."""
        taken, sealed, warnings = 0, 0, list[str]()
        for entry in entries:
            named = f"the webhook {str(entry.get('id'))[:80]!r}"
            try:
                kept = Kept.model_validate(entry)
                own = {
                    what: SecretStr(secrets[f"{kept.id}/{what}"])
                    for what in ("secret", "address")
                    if f"{kept.id}/{what}" in secrets
                }
                saved = await self._save(kept, own)
            except ValidationError:
                warnings.append(f"{named} was left out: it is damaged")
            except (InvalidRequestError, ConflictError) as refusal:
                warnings.append(f"{named} was left out: {refusal.message}")
            else:
                taken, sealed = taken + 1, sealed + len(own)
                if kept.enabled and not saved.enabled:
                    warnings.append(f"{named} is off: enter its secret, then switch it on")
        return TakenIn(taken, sealed, warnings)

    async def _save(self, kept: Kept, own: Mapping[str, SecretStr]) -> Target:
        if kept.from_settings != (kept.id == DEFAULT_ID):
            raise InvalidRequestError("only the target of WEBHOOK_URL may be called so")
        return await self._registry.change(
            kept.id, lambda standing: _restored(kept, own, standing), check=not kept.from_settings
        )


def webhook_state(redis: Redis, bus: Bus, clock: Clock, guard: TargetGuard) -> WebhookState:
    """Put it together on the targets in Redis."""
    store = WebhookStore(redis)
    resolver = SystemResolver(OwnedThreads())
    return WebhookState(store, Registry(store, bus, resolver, guard, clock))


def _kept(target: Target) -> Kept:
    facts = target.model_dump(include=set(Kept.model_fields))
    if target.from_settings:
        facts |= {"url": None, "shown_address": None}
    return Kept.model_validate(facts | {"has_secret": bool(_secrets(target))})


def _secrets(target: Target) -> dict[str, SecretStr]:
    if target.from_settings:
        return {}
    both = {"secret": target.secret, "address": target.address}
    return {what: secret for what, secret in both.items() if secret is not None}


def _restored(kept: Kept, own: Mapping[str, SecretStr], standing: Target | None) -> Target:
    same = standing if standing is not None and standing.kind == kept.kind else None
    secret = own.get("secret") or (same.secret if same is not None else None)
    address = own.get("address") or (same.address if same is not None else None)
    if kept.kind != "webhook" and address is None:
        raise InvalidRequestError("its address holds secrets and is missing: enter it anew")
    url = same.url if kept.from_settings and same is not None else kept.url
    unsigned = kept.has_secret and secret is None and address is None
    return Target(
        id=kept.id,
        name=kept.name,
        kind=kept.kind,
        url=url,
        address=address if kept.kind != "webhook" else None,
        shown_address=kept.shown_address,
        secret=secret if kept.kind == "webhook" else None,
        topics=kept.topics,
        enabled=kept.enabled and not unsigned,
        from_settings=kept.from_settings,
        created_at=standing.created_at if standing is not None else kept.created_at,
    )
