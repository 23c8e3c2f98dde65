"""The software of all Sparks as last seen: one round trip per host and look."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from spark_common.clock import Clock
from spark_common.errors import (
    DeadlineExceededError,
    HostUnreachableError,
    RemoteCommandError,
    SparkError,
)
from spark_common.remote import RemoteShell
from spark_common.settings import HostSettings
from spark_swapper.updates.reply import look_command, moment, read_found
from spark_swapper.updates.sight import Sight

_LOOK_SECONDS = 25.0
_FETCH_SECONDS = 90.0
_OLD_SECONDS = 30.0
_IDLE_SECONDS = 300.0
_PATIENCE_SECONDS = 1.0


class SoftwareLook:
    """Looks at checkouts and images, and remembers what each Spark said last."""

    def __init__(
        self,
        shell: RemoteShell,
        hosts: Sequence[HostSettings],
        directory: Callable[[], str],
        images: Callable[[], tuple[str, ...]],
        clock: Clock,
    ) -> None:
        """``images`` returns the tags that recipes use."""
        self._shell = shell
        self._images = images
        self._clock = clock
        self._directory = directory
        self._sights = {host.name: Sight(host.name, host.label, directory()) for host in hosts}
        self._looked_at: float | None = None
        self._looked = asyncio.Event()
        self._wanted = asyncio.Event()

    @property
    def sights(self) -> Sequence[Sight]:
        """The Sparks in the order of the settings."""
        return tuple(self._sights.values())

    def images(self) -> tuple[str, ...]:
        """Return the tags that recipes use."""
        return self._images()

    async def run(self) -> None:
        """Look now and then, and whenever somebody finds the last look too old, for ever."""
        while True:
            self._wanted.clear()
            await self.look()
            nap = asyncio.ensure_future(self._clock.sleep(_IDLE_SECONDS))
            wanted = asyncio.ensure_future(self._wanted.wait())
            try:
                await asyncio.wait({nap, wanted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                wanted.cancel()

    async def recent(self) -> Sequence[Sight]:
        """Return what was seen last. An old look is renewed; who asks waits for it but a moment."""
        age = None if self._looked_at is None else self._clock.monotonic() - self._looked_at
        if age is None or age > _OLD_SECONDS:
            self._looked.clear()
            self._wanted.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._looked.wait()
        return self.sights

    async def look(
        self, hosts: Sequence[str] | None = None, *, refresh: bool = False
    ) -> Sequence[Sight]:
        """Ask these hosts, or all, again; ``refresh`` fetches from the remotes first."""
        chosen = [name for name in self._sights if hosts is None or name in hosts]
        began = self._clock.monotonic()
        found = await asyncio.gather(*(self._see(self._sights[name], refresh) for name in chosen))
        for sight in found:
            self._sights[sight.host] = sight
        if hosts is None:
            self._looked_at = began
            self._looked.set()
        return found

    async def _see(self, before: Sight, refresh: bool) -> Sight:
        if before.directory != self._directory():
            # What was seen in another folder says nothing of this one.
            before = Sight(before.host, before.label, self._directory())
        command = look_command(before.directory, self._images(), refresh=refresh)
        seconds = _FETCH_SECONDS if refresh else _LOOK_SECONDS
        try:
            result = await self._shell.run(before.host, command, timeout_seconds=seconds)
            if result.exit_code is None:
                raise HostUnreachableError(
                    f"the connection to {before.label} was lost while it was looked at"
                )
            found = read_found(result)
        except SparkError as error:
            return replace(before, fresh=False, away=_why(before.label, error))
        asked = moment(found.checkout.fetched_at) if found.checkout is not None else None
        return replace(
            before,
            found=found,
            fresh=True,
            away=None,
            seen_at=self._clock.now(),
            fetched_at=asked or before.fetched_at,
        )


def _why(label: str, error: SparkError) -> str:
    if isinstance(error, DeadlineExceededError):
        return f"{label} accepts SSH but does not answer in time."
    if isinstance(error, RemoteCommandError):
        return f"{label} answers over SSH, but {error.message}."
    text = error.message.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
