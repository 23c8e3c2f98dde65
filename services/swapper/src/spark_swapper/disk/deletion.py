"""Deletes a model from the Sparks' disks: look, refuse or mark, order, look again."""

import asyncio
from collections.abc import Sequence

import structlog

from spark_common.contracts.disk import Deleted, DeletedPlace, DeleteFromDisk, DeletePlan
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    HostUnreachableError,
    ModelInUseError,
    NotFoundError,
    SparkError,
    UnavailableError,
)
from spark_common.remote import RemoteShell
from spark_swapper.disk.blockers import blockers, is_local
from spark_swapper.disk.order import DELETE_SECONDS, Cleared, Kept, delete_command, read_cleared
from spark_swapper.disk.planning import places_by_host, plan_deletion
from spark_swapper.disk.ports import BusyWith, DeleteMarks, LiveSwaps, Loaded, nothing_else
from spark_swapper.menu.hosts import Sight
from spark_swapper.menu.menu import Title
from spark_swapper.menu.shelf import DiskShelf

log = structlog.get_logger()


class DiskDeletion:
    """One per swapper. ``image`` and ``container`` are those of the runtime, for root's files."""

    def __init__(
        self,
        *,
        shelf: DiskShelf,
        shell: RemoteShell,
        loaded: Loaded,
        swaps: LiveSwaps,
        marks: DeleteMarks,
        image: str,
        container: str,
        busy_with: BusyWith = nothing_else,
    ) -> None:
        self._shelf = shelf
        self._shell = shell
        self._loaded = loaded
        self._swaps = swaps
        self._marks = marks
        self._image = image
        self._container = container
        self._busy_with = busy_with
        self._going: set[str] = set()

    async def plan(self, name: str) -> DeletePlan:
        """Return what deleting would free and why it would be refused; touches nothing.

        Raises UnknownModelError, UnavailableError when the records cannot be read.
        """
        await self._shelf.refresh()
        title = self._shelf.known(name)
        return plan_deletion(title, await self._blockers(title), self._image)

    async def delete(self, request: DeleteFromDisk) -> Deleted:
        """Delete on every Spark that holds it, or on those that were named.

        Raises UnknownModelError, NotFoundError for a Spark nobody knows, ConflictError for a
        local model or when it is being deleted already, ModelInUseError, UnavailableError.
        """
        await self._shelf.refresh()
        title = self._shelf.known(request.model)
        where = self._where(title, request.hosts)
        if is_local(title):
            raise ConflictError(" ".join(await self._blockers(title)), model=title.key)
        folded = title.repo.casefold()
        if folded in self._going:
            raise ConflictError(f"{title.name} is being deleted already", model=title.key)
        self._going.add(folded)
        try:
            return await self._delete(title, where, request.requested_by)
        finally:
            self._going.discard(folded)

    async def _delete(self, title: Title, where: Sequence[Sight], by: str) -> Deleted:
        # First the mark, then the look at the swaps: see DeleteMarks.
        await self._marks.set(title.repo)
        # Not in a finally: who is killed here leaves the mark until the Sparks are surely done.
        try:
            reasons = await self._blockers(title)
            if reasons:
                raise ModelInUseError(" ".join(reasons), model=title.key, blockers=list(reasons))
            log.info("disk.delete", model=title.key, hosts=[s.spark.name for s in where], by=by)
            places = await asyncio.gather(*(self._on(sight, title) for sight in where))
            await self._shelf.refresh()
        except SparkError:
            await self._unmark(title)
            raise
        await self._unmark(title)
        deleted = Deleted(
            model=title.key,
            repo=title.repo,
            complete=all(place.problem is None for place in places),
            freed_bytes=sum(place.freed_bytes for place in places),
            places=list(places),
        )
        log.info("disk.deleted", model=title.key, freed=deleted.freed_bytes, by=by)
        return deleted

    async def _blockers(self, title: Title) -> list[str]:
        await self._loaded.look()
        live = await self._swaps.live()
        found = blockers(title, self._loaded.view(), live)
        busy = await self._busy_with(title.repo)
        return [*found, *([busy] if busy else [])]

    def _where(self, title: Title, named: Sequence[str]) -> list[Sight]:
        sights = {sight.spark.name: sight for sight in self._shelf.sights}
        for name in named:
            if name not in sights:
                raise NotFoundError(f"there is no Spark called {name!r}", host=name)
        chosen = dict.fromkeys(named) if named else places_by_host(title)
        return [sight for name, sight in sights.items() if name in chosen]

    async def _on(self, sight: Sight, title: Title) -> DeletedPlace:
        host, label = sight.spark.name, sight.spark.label
        copies = places_by_host(title).get(host, [])
        repos = [place.copy.repo for place in copies]
        if not repos and sight.fresh:
            return DeletedPlace(host=host, label=label)
        try:
            order = delete_command(repos or [title.repo], self._image, self._container)
            result = await self._shell.run(host, order, timeout_seconds=DELETE_SECONDS)
            if result.exit_code is None:
                raise HostUnreachableError(f"the connection to {label} was lost")
            cleared = read_cleared(result)
        except SparkError as error:
            log.warning("disk.not_deleted", host=host, model=title.key, reason=error.message)
            return DeletedPlace(host=host, label=label, problem=_why(label, error))
        problem = " ".join(_kept(label, kept) for kept in cleared.kept) or None
        self._log_swept(host, cleared)
        return DeletedPlace(
            host=host, label=label, freed_bytes=cleared.freed_bytes, problem=problem
        )

    def _log_swept(self, host: str, cleared: Cleared) -> None:
        if cleared.swept_bytes:
            log.info("disk.swept", host=host, freed=cleared.swept_bytes)

    async def _unmark(self, title: Title) -> None:
        try:
            await self._marks.clear(title.repo)
        except UnavailableError as error:
            log.warning("disk.mark_stays", model=title.key, reason=error.message)


def _why(label: str, error: SparkError) -> str:
    if isinstance(error, DeadlineExceededError):
        return (
            f"{label} did not finish in {DELETE_SECONDS:.0f} s. Look again in a minute: what is "
            "left is removed by the next deletion."
        )
    if isinstance(error, UnavailableError):
        return f"{label} does not answer, so its files stay. Delete again when it is back."
    return f"On {label} it did not work: {error.message}."


def _kept(label: str, kept: Kept) -> str:
    said = f" ({kept.said})" if kept.said else ""
    match kept.code:
        case "downloading":
            return (
                f"It is being downloaded on {label}: cancel the download, or wait two minutes "
                "after it stopped, then delete again."
            )
        case "not_a_folder":
            return f"{kept.folder} on {label} is a link or a file, not a folder: it was left alone."
        case "denied":
            return (
                f"The files on {label} belong to somebody else, and no container could remove "
                f"them{said}. On that Spark, run: sudo chown -R $USER ~/.cache/huggingface"
            )
