"""The Sparks as last seen: one round trip per host and look, and what was true before."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from spark_common.clock import Clock
from spark_common.contracts.models import HostView
from spark_common.errors import (
    DeadlineExceededError,
    HostUnreachableError,
    RemoteCommandError,
    SparkError,
    UnavailableError,
)
from spark_common.remote import RemoteShell
from spark_swapper.scan import Look, look_command, read_look
from spark_swapper.scan.memory import LookStore, NoMemory, Seen

LOOK_SECONDS = 20.0
"""A healthy Spark answers in less than one; longer means that it is out of memory."""


log = structlog.get_logger()


@dataclass(frozen=True)
class Spark:
    """A host by name."""

    name: str
    label: str


@dataclass(frozen=True)
class Sight:
    """One host as last seen."""

    spark: Spark
    reachable: bool | None = None
    """None before the first look."""
    detail: str | None = None
    look: Look | None = None
    """The last answer; still there, but stale, when later looks failed."""
    seen_at: datetime | None = None
    fresh: bool = False
    """Whether ``look`` is the answer to the latest question."""

    def view(self) -> HostView:
        """Return the host as everybody sees it."""
        state = {None: "unknown", True: "online", False: "unreachable"}[self.reachable]
        look = self.look
        return HostView.model_validate(
            {
                "name": self.spark.name,
                "label": self.spark.label,
                "state": state,
                "detail": self.detail,
                "seen_at": self.seen_at,
                "disk_total_bytes": look and look.disk_total_bytes,
                "disk_free_bytes": look and look.disk_free_bytes,
                "memory_total_bytes": look and look.memory_total_bytes,
                "memory_available_bytes": look and look.memory_available_bytes,
            }
        )


class Hosts:
    """Looks at all Sparks at once and remembers what each said last."""

    def __init__(
        self,
        shell: RemoteShell,
        sparks: Iterable[Spark],
        clock: Clock,
        store: LookStore | None = None,
        local_paths: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """``store`` keeps the last answers over a restart; ``local_paths`` are looked at too.

        The paths are absolute directories of local models, validated by whoever names them.
        """
        self._shell = shell
        self._clock = clock
        self._store = store or NoMemory()
        self._local_paths = local_paths
        self._sights = {spark.name: Sight(spark) for spark in sparks}
        self._looking = asyncio.Lock()
        self._recalled = False
        self._looked_at: float | None = None
        self._looked_until: datetime | None = None

    @property
    def sights(self) -> Sequence[Sight]:
        """The hosts in the order of the settings, the head of a cluster first."""
        return tuple(self._sights.values())

    @property
    def as_of(self) -> datetime | None:
        """End of the last look; None before the first."""
        return self._looked_until

    def age_seconds(self) -> float | None:
        """Time since the last look began; None before the first."""
        if self._looked_at is None:
            return None
        return self._clock.monotonic() - self._looked_at

    async def recall(self) -> None:
        """Fill in what each Spark said last, before the first look of this process.

        It is stale until that Spark answers again. Tried again later when the store is away.
        """
        if self._recalled or self._looked_at is not None:
            return
        for name, sight in self._sights.items():
            try:
                seen = await self._store.recall(name)
            except UnavailableError as error:
                log.warning("hosts.not_recalled", host=name, reason=error.message)
                return
            if seen is not None and self._sights[name].look is None:
                self._sights[name] = replace(sight, look=seen.look, seen_at=seen.at)
        self._recalled = True

    async def look(self) -> None:
        """Ask every Spark again; who asks while a look is running shares the next one."""
        asked = self._clock.monotonic()
        async with self._looking:
            if self._looked_at is not None and self._looked_at > asked:
                return
            await self.recall()
            began = self._clock.monotonic()
            found = await asyncio.gather(*(self._see(sight) for sight in self.sights))
            self._sights = {sight.spark.name: sight for sight in found}
            self._looked_at = began
            self._looked_until = self._clock.now()
            self._recalled = True
        await self._remember(found)

    async def _remember(self, sights: Iterable[Sight]) -> None:
        for sight in sights:
            if not sight.fresh or sight.look is None or sight.seen_at is None:
                continue
            try:
                await self._store.remember(sight.spark.name, Seen(sight.look, sight.seen_at))
            except UnavailableError as error:
                log.warning("hosts.not_remembered", host=sight.spark.name, reason=error.message)
                return

    async def _see(self, before: Sight) -> Sight:
        try:
            result = await self._shell.run(
                before.spark.name,
                look_command(self._local_paths()),
                timeout_seconds=LOOK_SECONDS,
            )
            if result.exit_code is None:
                raise HostUnreachableError(
                    f"the connection to {before.spark.label} was lost while it was looked at"
                )
            look = read_look(result)
        except SparkError as error:
            reachable = isinstance(error, RemoteCommandError)
            detail = _why(before.spark.label, error)
            return replace(before, reachable=reachable, detail=detail, fresh=False)
        unread = f"The model folder on {before.spark.label} cannot be read: {look.problem}."
        problem = unread if look.problem else None
        return Sight(before.spark, True, problem, look, self._clock.now(), fresh=True)


def _why(label: str, error: SparkError) -> str:
    """Say in plain English what is wrong with a host and what to try."""
    if isinstance(error, DeadlineExceededError):
        return (
            f"{label} accepts SSH but does not answer. It is probably out of memory: wait a "
            "few minutes, then hold its power button."
        )
    if isinstance(error, UnavailableError):
        return _sentence(error.message)
    return f"{label} answers over SSH, but its models could not be read: {error.message}."


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped[:1].upper() + stripped[1:] + ("" if stripped.endswith((".", "!", "?")) else ".")
