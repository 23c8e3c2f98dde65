"""Reads a model's small files from a Spark that has them, and remembers them for a while."""

from collections import OrderedDict

from spark_common.clock import Clock
from spark_common.errors import (
    HostUnreachableError,
    ModelNotReadyError,
    RemoteCommandError,
    SparkError,
    UnavailableError,
)
from spark_common.remote import RemoteShell
from spark_swapper.menu.menu import Place, Title
from spark_swapper.recipes.local_path import identity
from spark_swapper.suggest.facts import ModelFiles
from spark_swapper.suggest.reading import files_command, read_files

READ_SECONDS = 10.0
KNOWN_SECONDS = 4.0
"""For numbers nobody waits long for."""
KEPT_SECONDS = 600.0
AGAIN_SECONDS = 20.0
"""How long a failure to read is remembered."""
_KEPT = 64


class ModelReader:
    """One round trip per model; ``known`` asks a Spark at most every ten minutes."""

    def __init__(self, shell: RemoteShell, clock: Clock) -> None:
        self._shell = shell
        self._clock = clock
        self._kept: OrderedDict[tuple[str, int], tuple[float, ModelFiles | None]] = OrderedDict()

    async def known(self, title: Title) -> ModelFiles | None:
        """Return the files, a little old perhaps; None when nobody can tell. Never raises."""
        if not title.places:
            return None
        size = max(place.copy.size_bytes for place in title.places)
        key = (identity(title.repo), size)
        if (kept := self._kept.get(key)) and self._clock.monotonic() < kept[0]:
            return kept[1]
        files, seconds = None, AGAIN_SECONDS
        try:
            files, _ = await self.read(title, KNOWN_SECONDS)
            seconds = KEPT_SECONDS
        except SparkError:
            # Numbers without the cache beat no numbers.
            pass
        self._kept[key] = (self._clock.monotonic() + seconds, files)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return files

    async def read(self, title: Title, seconds: float = READ_SECONDS) -> tuple[ModelFiles, Place]:
        """Ask the hosts that have it, the best copy first, until one answers.

        Raises HostUnreachableError when none of them does, ModelNotReadyError when nothing of it
        can be read yet, InvalidRequestError for a name that no folder has.
        """
        command = files_command(title.repo)
        away: UnavailableError | None = None
        unread: RemoteCommandError | None = None
        order = sorted(title.places, key=lambda place: (place.stale, not place.whole))
        for place in order:
            host = place.sight.spark.name
            try:
                result = await self._shell.run(host, command, timeout_seconds=seconds)
                if result.exit_code is None:
                    raise HostUnreachableError("the connection was lost", host=host)
                return read_files(title.repo, result), place
            except UnavailableError as error:
                away = away or error
            except RemoteCommandError as error:
                unread = unread or error
        if away is not None:
            labels = ", ".join(place.sight.spark.label for place in order)
            raise HostUnreachableError(
                f"{title.name} is on {labels}, and could not be read there: {away.message}",
                host=order[0].sight.spark.name,
            ) from away
        reason = unread.message if unread is not None else "it has no files yet"
        raise ModelNotReadyError(
            f"nothing can be inferred for {title.name}: {reason}", model=title.key
        ) from unread
