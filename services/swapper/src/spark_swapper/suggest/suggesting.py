"""Answers what a recipe for a repository on the Sparks' disks could be."""

from collections.abc import Callable, Sequence

from spark_common.contracts.models import Suggestion, SuggestRecipe
from spark_common.errors import ModelNotReadyError, UnavailableError, UnknownModelError
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.launching.launcher import LauncherFeatures
from spark_swapper.menu.hosts import Hosts
from spark_swapper.menu.menu import Place, Title, named, titles
from spark_swapper.menu.shelf import FRESH_SECONDS, near_names
from spark_swapper.recipes import RecipeSource
from spark_swapper.recipes.keys import free_key
from spark_swapper.recipes.local_path import is_path
from spark_swapper.scan import DiskCopy
from spark_swapper.suggest.facts import ClusterFacts, HostFacts
from spark_swapper.suggest.infer import infer
from spark_swapper.suggest.reader import ModelReader

_LONGEST_KEY = 80


class Suggesting:
    """Reads a model's files in one round trip and infers the rest."""

    def __init__(
        self,
        hosts: Hosts,
        reader: ModelReader,
        recipes: RecipeSource,
        launch: LaunchSettings,
        features: Callable[[str], LauncherFeatures] = lambda _: LauncherFeatures(),
    ) -> None:
        """``features`` says what the launcher on a host can do, without asking it."""
        self._hosts = hosts
        self._reader = reader
        self._recipes = recipes
        self._launch = launch
        self._features = features

    async def suggest(self, request: SuggestRecipe) -> Suggestion:
        """Return a recipe for a repository on any Spark's disk, whether it has one or not.

        The absolute path of a directory on the Sparks is a local model, on the menu or not.
        Raises UnknownModelError (``details['near']``), ModelNotReadyError when nothing of it can
        be read yet, HostUnreachableError when no Spark that has it answers, UnavailableError
        when no Spark could be looked at.
        """
        title = await self._find(request.repo)
        files, place = await self._reader.read(title)
        suggestion = infer(
            files,
            self._cluster(title),
            key=title.key[:_LONGEST_KEY],
            read_from=place.sight.spark.name,
            launch=self._launch,
            features=self._features(place.sight.spark.name),
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
        found = named(self._titles(), name)
        if found is None and not looked:
            # A download may just have ended.
            await self._hosts.look()
            found = named(self._titles(), name)
        if found is None and is_path(name):
            found = await self._local(name)
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

    async def _local(self, path: str) -> Title | None:
        """Return a local model that is not on the menu, with the Sparks that have its directory."""
        book = self._recipes.book
        recipe = book.for_repo(path)
        key = recipe.key if recipe else free_key(path, {one.key for one in book.recipes})
        places = []
        for sight in self._hosts.sights:
            place = Place(sight, DiskCopy(repo=path, size_bytes=0, state="ready"))
            try:
                files, _ = await self._reader.read(Title(key, path, recipe, (place,)))
            except (UnavailableError, ModelNotReadyError):
                continue
            if files.config is not None or files.weight_bytes:
                places.append(place)
        return Title(key, path, recipe, tuple(places)) if places else None

    def _titles(self) -> Sequence[Title]:
        return [title for title in titles(self._recipes.book, self._hosts.sights) if title.places]

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
