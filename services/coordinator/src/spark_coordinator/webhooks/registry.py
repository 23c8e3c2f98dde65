"""Making, changing and removing targets; a new one is told only of what comes."""

from collections.abc import Callable, Iterable

from pydantic import SecretStr

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.webhooks import PutTarget, Topic
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_coordinator.webhooks.address import read_url
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.notifying import place_of
from spark_coordinator.webhooks.ports import Resolver, SendError
from spark_coordinator.webhooks.signing import PREFIX, is_standard
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import DEFAULT_ID, MOST_TARGETS, RESERVED, Target
from spark_coordinator.webhooks.topics import STREAM_OF

_RIVALS = 5


class Registry:
    """The targets. Raises InvalidRequestError, ConflictError, NotFoundError, UnavailableError."""

    def __init__(
        self,
        store: WebhookStore,
        bus: Bus,
        resolver: Resolver,
        guard: TargetGuard,
        clock: Clock,
    ) -> None:
        self._store = store
        self._bus = bus
        self._resolver = resolver
        self._guard = guard
        self._clock = clock

    async def put(self, request: PutTarget) -> Target:
        """Make or replace a target as the owner asks for it."""
        if request.id in RESERVED and request.id != DEFAULT_ID:
            raise InvalidRequestError(f"the id {request.id!r} is reserved; choose another one")
        return await self.change(request.id, lambda standing: self._asked(request, standing))

    async def change(
        self, id: str, changed: Callable[[Target | None], Target], *, check: bool = True
    ) -> Target:
        """Replace a record by what ``changed`` makes of it, whoever else changes it meanwhile."""
        for _ in range(_RIVALS):
            standing, read = await self._store.target(id)
            target = changed(standing)
            if check:
                await self._check(target)
            marks = await self._marks(target)
            match await self._store.put(target, read, marks, self._clock.now()):
                case 1:
                    return target
                case 0:
                    raise ConflictError(
                        f"there are {MOST_TARGETS} targets already; remove one first"
                    )
                case _:
                    continue
        raise ConflictError("somebody else changes this target right now; try again")

    async def remove(self, id: str) -> None:
        """Forget a target and what is owed to it."""
        standing, _ = await self._store.target(id)
        if standing is None:
            raise NotFoundError(f"there is no target {id!r}")
        if standing.from_settings:
            raise ConflictError("this target is that of WEBHOOK_URL; clear it in the settings")
        await self._store.remove(id)

    def _asked(self, request: PutTarget, standing: Target | None) -> Target:
        if request.id == DEFAULT_ID and (standing is None or not standing.from_settings):
            raise InvalidRequestError(
                "the id 'default' is that of WEBHOOK_URL; set it in the settings, or choose "
                "another id"
            )
        if standing is not None and standing.from_settings:
            return _of_settings(request, standing)
        url, address, shown = _where(request, standing)
        secret = None if request.clear_secret else request.secret
        if secret is None and standing is not None and not request.clear_secret:
            secret = standing.secret
        _check_secret(request, secret)
        return Target(
            id=request.id,
            name=request.name or (standing.name if standing else request.id),
            kind=request.kind,
            url=url,
            address=address,
            shown_address=shown,
            secret=secret if request.kind == "webhook" else None,
            topics=_in_order(request.topics),
            enabled=request.enabled,
            created_at=standing.created_at if standing else self._clock.now(),
        )

    async def _check(self, target: Target) -> None:
        """Refuse an address where nothing may be sent; a name that does not resolve is allowed."""
        if target.kind == "webhook":
            url = read_url(target.url or "")
            host, port = url.host, url.port
        else:
            place = place_of(target.kind, _text(target.address))
            host, port = place.host, place.port
        try:
            addresses = await self._resolver.resolve(f"save:{target.id}", host)
        except SendError:
            addresses = []
        refusal = self._guard.refusal(host, port, addresses)
        if refusal is not None:
            raise InvalidRequestError(refusal)

    async def _marks(self, target: Target) -> dict[Topic, str]:
        """Return where the streams of newly chosen topics end now."""
        known = await self._store.marked_topics(target.id)
        if target.id in await self._store.disabled_because([target.id]):
            known = frozenset()
        marks: dict[Topic, str] = {}
        for topic in target.told_of - known:
            epoch, _, last = await self._bus.bounds(STREAM_OF[topic])
            marks[topic] = f"{epoch}:{last}"
        return marks


def _where(
    request: PutTarget, standing: Target | None
) -> tuple[str | None, SecretStr | None, str | None]:
    """Return url, address and what is shown of it; what is left out stays as it is."""
    same_kind = standing if standing is not None and standing.kind == request.kind else None
    if request.kind == "webhook":
        if request.address is not None:
            raise InvalidRequestError("a webhook has a url and no address")
        text = request.url or (same_kind.url if same_kind else None)
        if text is None:
            raise InvalidRequestError("a webhook needs a url")
        return str(read_url(text)), None, None
    if request.url is not None:
        raise InvalidRequestError(f"{request.kind} has an address and no url")
    address = request.address or (same_kind.address if same_kind else None)
    if address is None:
        raise InvalidRequestError(f"{request.kind} needs an address")
    return None, address, str(place_of(request.kind, _text(address)))


def _check_secret(request: PutTarget, secret: SecretStr | None) -> None:
    if request.kind != "webhook" and request.secret is not None:
        raise InvalidRequestError(f"{request.kind} has no secret; its address holds what it needs")
    text = _text(secret)
    if text.startswith(PREFIX) and not is_standard(text):
        raise InvalidRequestError("after whsec_ the secret must be base64")


def _of_settings(request: PutTarget, standing: Target) -> Target:
    other_url = request.url is not None and str(read_url(request.url)) != standing.url
    secret = request.secret is not None or request.clear_secret
    if other_url or secret or request.address is not None or request.kind != "webhook":
        raise ConflictError(
            "this target is that of WEBHOOK_URL; change its url and secret in the settings"
        )
    return standing.model_copy(
        update={
            "name": request.name or standing.name,
            "topics": _in_order(request.topics),
            "enabled": request.enabled,
        }
    )


def _in_order(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys(topics))


def _text(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
