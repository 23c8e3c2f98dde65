"""Settings that are always the newest: the environment, and over it what the owner set.

Nothing is reloaded in place. Who works asks for a snapshot, keeps it for one request or one job,
and asks again for the next.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.owner.overlay import OverlaySource, OwnerValues
from spark_common.owner.overlaying import overlaid
from spark_common.settings.load import Settings
from spark_common.subjects import SETTINGS_CHANGED
from spark_common.tasks import end

LOOK_SECONDS = 0.8
"""Between two looks at the version: a change is live within two seconds also without a hint."""
_RELISTEN_SECONDS = 1.0


class OneVersion(Protocol):
    """Keeps settings as they are, for as long as it is entered."""

    def __call__(
        self, values: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Mapping[str, str]]:
        """Enter with what the owner set at another time, or with what holds now; returns it."""
        ...


@contextmanager
def unchanging(values: Mapping[str, str] | None = None) -> Iterator[Mapping[str, str]]:
    """Be a ``OneVersion`` where settings never change."""
    yield values or {}


GroupOfSettings = TypeVar("GroupOfSettings", bound=Settings)

_log = structlog.get_logger()


class LiveSettings:
    """The groups of one service, each as a snapshot of one version.

    While nobody can say what the owner set, the last known values stay.
    """

    def __init__(self, source: OverlaySource, bus: Bus, clock: Clock) -> None:
        self._source = source
        self._bus = bus
        self._clock = clock
        self._bases: list[Settings] = []
        self._snapshots: list[Settings] = []
        self._warnings: tuple[tuple[str, ...], ...] = ()
        self._owner = OwnerValues()
        self._known: int | None = None
        self._woken = asyncio.Event()
        self._kept: ContextVar[Sequence[Settings]] = ContextVar("kept settings", default=())

    def of(self, base: GroupOfSettings) -> Callable[[], GroupOfSettings]:
        """Return a function that gives the group as it is now; ``base``: what the environment says.

        Cheap enough to be called for every request.
        """
        snapshot, warnings = overlaid(base, self._owner.texts)
        number = len(self._bases)
        self._bases.append(base)
        self._snapshots = [*self._snapshots, snapshot]
        self._warnings = (*self._warnings, warnings)

        kept = self._kept

        def now() -> GroupOfSettings:
            # Some ten times per request of the data plane: no call that does nothing.
            return (kept.get() or self._snapshots)[number]  # type: ignore[return-value]

        return now

    @contextmanager
    def one_version(self, values: Mapping[str, str] | None = None) -> Iterator[Mapping[str, str]]:
        """Let everything inside see one version to its end: a job keeps what it began with.

        That is the version of now, or, for a job that another process began, the ``values``
        that the owner had set then. Tasks that are begun inside see the same.
        """
        snapshots: Sequence[Settings] = self._snapshots
        if values is None:
            values = self._owner.values
        else:
            then = OwnerValues(values=values, secrets=self._owner.secrets)
            snapshots = [snapshot for snapshot, _ in _all_overlaid(self._bases, then)]
        token = self._kept.set(snapshots)
        try:
            yield values
        finally:
            self._kept.reset(token)

    @property
    def version(self) -> int | None:
        """The version of the owner's values that holds; None before the first was read."""
        return self._known

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the owner set and this version of the service cannot use; one sentence each."""
        return tuple(dict.fromkeys(one for group in self._warnings for one in group))

    async def refresh(self) -> bool:
        """Look once; return whether there was something new. Raises SparkError."""
        owner = await self._source.read(self._known)
        if owner is None:
            return False
        bases = list(self._bases)
        # In a thread: a name under .local is looked up anew.
        found = await asyncio.to_thread(_all_overlaid, bases, owner)
        found += _all_overlaid(self._bases[len(bases) :], owner)
        self._owner, self._known = owner, owner.version
        self._snapshots = [snapshot for snapshot, _ in found]
        self._warnings = tuple(warnings for _, warnings in found)
        _log.info("settings.read", version=owner.version, names=sorted(owner.texts))
        for warning in self.warnings:
            _log.warning("settings.fallback", reason=warning)
        return True

    async def run(self) -> None:
        """Look for ever: when told of a change, and soon in any case."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                self._woken.clear()
                try:
                    await self.refresh()
                except SparkError as error:
                    _log.debug("settings.not_read", reason=error.message)
                await self._rest()
        finally:
            await end([listening])

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._bus.listen(SETTINGS_CHANGED):
                    self._woken.set()
            except SparkError:
                pass
            await self._clock.sleep(_RELISTEN_SECONDS)

    async def _rest(self) -> None:
        waking = asyncio.create_task(self._woken.wait())
        turn = asyncio.create_task(self._clock.sleep(LOOK_SECONDS))
        try:
            await asyncio.wait((waking, turn), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            turn.cancel()


def _all_overlaid(
    bases: Sequence[Settings], owner: OwnerValues
) -> list[tuple[Settings, tuple[str, ...]]]:
    return [overlaid(base, owner.texts) for base in bases]
