"""What is asked about webhooks on the bus."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    PUT_TARGET,
    REMOVE_TARGET,
    SEND_AGAIN,
    TEST_TARGET,
    Deliveries,
    DeliveryView,
    ListDeliveries,
    ListTargets,
    PutTarget,
    RemoveTarget,
    SendAgain,
    Targets,
    TargetView,
    TestTarget,
)
from spark_common.errors import NotFoundError
from spark_common.ids import new_id
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.body import delivery_id, test_body
from spark_coordinator.webhooks.dispatch import Dispatch
from spark_coordinator.webhooks.log import DeliveryLog
from spark_coordinator.webhooks.ports import Parcel, Sender
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.rows import micros
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import Target


class WebhookVerbs:
    """Answers on every coordinator, whoever leads."""

    def __init__(
        self,
        store: WebhookStore,
        log: DeliveryLog,
        registry: Registry,
        sender: Sender,
        dispatch: Dispatch,
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self._store = store
        self._log = log
        self._registry = registry
        self._sender = sender
        self._dispatch = dispatch
        self._backoff = backoff
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its handler."""
        return (
            Serving(PUT_TARGET, self.put),
            Serving(REMOVE_TARGET, self.remove),
            Serving(TEST_TARGET, self.test),
            Serving(LIST_TARGETS, self.list),
            Serving(LIST_DELIVERIES, self.deliveries),
            Serving(SEND_AGAIN, self.again),
        )

    async def put(self, request: PutTarget) -> TargetView:
        """Make or replace a target; what is owed to it is tried at once."""
        target = await self._registry.put(request)
        self._dispatch.wake()
        return await self._view(target)

    async def remove(self, request: RemoveTarget) -> Targets:
        """Forget a target."""
        await self._registry.remove(request.id)
        return await self.list(ListTargets())

    async def list(self, _: ListTargets) -> Targets:
        """Return all targets."""
        targets = await self._store.targets()
        return Targets(targets=[await self._view(target) for target in targets.values()])

    async def test(self, request: TestTarget) -> DeliveryView:
        """Send a test event now, once, past what is owed."""
        target, _ = await self._store.target(request.id)
        if target is None:
            raise NotFoundError(f"there is no target {request.id!r}")
        event_id, created = new_id(), self._clock.now()
        made = delivery_id(event_id, target.id)
        began = self._clock.monotonic()
        answer = await self._sender.send(target, Parcel(made, test_body(event_id, created)))
        latency_ms = (self._clock.monotonic() - began) * 1000
        fields: dict[str, str | int] = {
            "target": target.id,
            "event_id": event_id,
            "type": "webhook.test",
            "state": "delivered" if answer.ok else "dead",
            "tries": 1,
            "created": micros(created),
            "tried": micros(self._clock.now()),
            "status": "" if answer.status is None else answer.status,
            "latency": f"{latency_ms:.1f}",
            "error": answer.problem or "",
            "test": 1,
        }
        if not await self._store.note_test(made, fields):
            raise NotFoundError(f"there is no target {request.id!r} any more")
        return await self._log.one(made)

    async def deliveries(self, request: ListDeliveries) -> Deliveries:
        """Return a page of the delivery log."""
        known = await self._store.targets()
        if request.target is not None and request.target not in known:
            raise NotFoundError(f"there is no target {request.target!r}")
        targets = list(known) if request.target is None else [request.target]
        page = await self._log.page(targets, request.state, request.before, request.limit)
        return Deliveries(deliveries=page)

    async def again(self, request: SendAgain) -> DeliveryView:
        """Give a dead letter another chance."""
        now = self._clock.now()
        view = await self._log.again(request.id, now, now + self._backoff.give_up_after)
        self._dispatch.wake()
        return view

    async def _view(self, target: Target) -> TargetView:
        standing = await self._store.standing(target.id)
        return TargetView(
            id=target.id,
            name=target.name,
            kind=target.kind,
            url=target.url,
            address=target.shown_address,
            has_secret=target.secret is not None,
            topics=list(target.topics),
            enabled=target.enabled and standing.disabled_because is None,
            disabled_because=standing.disabled_because,
            from_settings=target.from_settings,
            pending=standing.pending,
            dead=standing.dead,
            dropped=standing.dropped,
            last_status=standing.last_status,
            last_error=standing.last_error,
            next_try_at=standing.next_try_at,
        )
