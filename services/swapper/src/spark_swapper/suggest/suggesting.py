"""Answers what a recipe for a repository on the Sparks' disks could be."""

from collections.abc import Sequence

from spark_common.contracts.models import Suggestion, SuggestRecipe
from spark_common.errors import (
    HostUnreachableError,
    ModelNotReadyError,
    RemoteCommandError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.remote import RemoteShell
from spark_swapper.hosts import Hosts
from spark_swapper.launch import LaunchSettings
from spark_swapper.menu import Place, Title, titles
from spark_swapper.recipes import RecipeBook
from spark_swapper.shelf import FRESH_SECONDS, near_names
from spark_swapper.suggest.facts import ClusterFacts, HostFacts, ModelFiles
from spark_swapper.suggest.infer import infer
from spark_swapper.suggest.reading import files_command, read_files

READ_SECONDS = 10.0
_LONGEST_KEY = 80


class Suggesting:
    """Reads a model's files in one round trip and infers the rest."""

    def __init__(
        self, hosts: Hosts, shell: RemoteShell, book: RecipeBook, launch: LaunchSettings
    ) -> None:
        self._hosts = hosts
        self._shell = shell
        self._book = book
        self._launch = launch

    async def suggest(self, request: SuggestRecipe) -> Suggestion:
        """Return a recipe for a repository on any Spark's disk, whether it has one or not.

        Raises UnknownModelError (``details['near']``), ModelNotReadyError when nothing of it can
        be read yet, HostUnreachableError when no Spark that has it answers, UnavailableError
        when no Spark could be looked at.
        """
        title = await self._find(request.repo)
        files, place = await self._read(title)
        suggestion = infer(
            files,
            self._cluster(title),
            key=title.key[:_LONGEST_KEY],
            read_from=place.sight.spark.name,
            launch=self._launch,
        )
        if title.recipe is None:
            return suggestion
        known = f"There is a recipe for it already: {title.recipe.key}."
        return suggestion.model_copy(update={"warnings": [known, *suggestion.warnings]})

    async def _find(self, name: str) -> Title:
        age = self._hosts.age_seconds()
        looked = age is None or age > FRESH_SECONDS
        if looked:
            await self._hosts.look()
        found = self._named(name)
        if found is None and not looked:
            # A download may just have ended.
            await self._hosts.look()
            found = self._named(name)
        if found is not None:
            return found
        sights = self._hosts.sights
        if not any(sight.look for sight in sights):
            details = [sight.detail for sight in sights if sight.detail]
            raise UnavailableError("no Spark could be looked at: " + " ".join(details))
        near = near_names(name.strip().casefold(), self._titles())
        hint = f"; close to it: {', '.join(near)}" if near else ""
        raise UnknownModelError(
            f"there is no model {name!r} on the disk of any Spark{hint}", near=list(near)
        )

    def _titles(self) -> Sequence[Title]:
        return [title for title in titles(self._book, self._hosts.sights) if title.places]

    def _named(self, name: str) -> Title | None:
        folded = name.strip().casefold()
        for title in self._titles():
            if folded in (known.casefold() for known in title.names()):
                return title
        return None

    async def _read(self, title: Title) -> tuple[ModelFiles, Place]:
        """Ask the hosts that have it, the best copy first, until one answers."""
        command = files_command(title.repo)
        away: UnavailableError | None = None
        unread: RemoteCommandError | None = None
        order = sorted(title.places, key=lambda place: (place.stale, not place.whole))
        for place in order:
            host = place.sight.spark.name
            try:
                result = await self._shell.run(host, command, timeout_seconds=READ_SECONDS)
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

    def _cluster(self, title: Title) -> ClusterFacts:
        whole = {place.sight.spark.name for place in title.places if place.whole}
        return ClusterFacts(
            tuple(
                HostFacts(
                    name=sight.spark.name,
                    label=sight.spark.label,
                    memory_bytes=sight.look.memory_total_bytes if sight.look else None,
                    holds=sight.spark.name in whole,
                )
                for sight in self._hosts.sights
            )
        )
