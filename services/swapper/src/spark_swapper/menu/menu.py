"""From what is on the disks and the recipes to the menu. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from spark_common.contracts.models import (
    Menu,
    ModelCopy,
    ModelView,
    RecipeView,
    RuntimeView,
)
from spark_swapper.menu.hosts import Sight
from spark_swapper.menu.memory_fit import fit_of
from spark_swapper.recipes import Recipe, RecipeBook
from spark_swapper.recipes.book import Source
from spark_swapper.recipes.keys import free_key
from spark_swapper.recipes.local_path import identity
from spark_swapper.scan import DiskCopy

State = Literal["ready", "needs_setup", "incomplete", "downloading", "missing"]


@dataclass(frozen=True)
class Place:
    """The files of a model on one host, as last seen."""

    sight: Sight
    copy: DiskCopy

    @property
    def stale(self) -> bool:
        """Whether the host did not answer the latest look."""
        return not self.sight.fresh

    @property
    def whole(self) -> bool:
        """Whether the files were all there when last seen."""
        return self.copy.state == "ready"


@dataclass(frozen=True)
class Title:
    """A repository of the menu with everything known about it."""

    key: str
    repo: str
    """As spelled on disk: vLLM without network finds it under no other spelling. For a local
    model its directory."""
    recipe: Recipe | None
    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.recipe.name if self.recipe else self.repo.rpartition("/")[2]

    @property
    def served_name(self) -> str:
        """What clients of ``/v1`` name."""
        return self.recipe.serves_as if self.recipe else self.key

    def names(self) -> tuple[str, str, str]:
        """Everything it may be asked for by."""
        return (self.key, self.repo, self.served_name)


def titles(
    book: RecipeBook, sights: Sequence[Sight], loaded: str | None = None
) -> tuple[Title, ...]:
    """Return what is on the disks, matched with the recipes, by name.

    ``loaded``: key of a model that serves, which stays on the menu when its files are gone. A
    local model always is: nobody can download it, so it would have no other card.
    """
    places: dict[str, list[Place]] = {}
    spelled: dict[str, str] = {}
    for sight in sights:
        for copy in sight.look.copies if sight.look else ():
            folded = identity(copy.repo)
            spelled.setdefault(folded, copy.repo)
            places.setdefault(folded, []).append(Place(sight, copy))
    taken = {recipe.key for recipe in book.recipes}
    found = []
    for folded, repo in sorted(spelled.items()):
        recipe = book.for_repo(repo)
        key = recipe.key if recipe else free_key(repo, taken)
        taken.add(key)
        found.append(Title(key, repo, recipe, tuple(places[folded])))
    found += [
        Title(recipe.key, recipe.target, recipe, ())
        for recipe in book.recipes
        if (recipe.key == loaded or recipe.local_path) and identity(recipe.target) not in spelled
    ]
    return tuple(sorted(found, key=lambda title: (title.name.casefold(), title.key)))


def named(shown: Sequence[Title], name: str) -> Title | None:
    """Return the model that a name means: a key before a repository, a served name last."""
    folded = name.strip().casefold()
    for place in range(3):
        for title in shown:
            if folded == title.names()[place].casefold():
                return title
    return None


def hosts_for(title: Title, sights: Sequence[Sight]) -> tuple[Sight, ...]:
    """Return the hosts it can run on, the head first; none when no host the mode needs has it.

    Hosts that answered the latest look are preferred; hosts that did not may be among them.
    """
    whole = {place.sight.spark.name: place.sight for place in title.places if place.whole}
    if title.recipe is not None and title.recipe.mode == "cluster":
        # The launcher takes the first nodes of its own list; ours is in the same order.
        nodes = [sight.spark.name for sight in sights][: title.recipe.nodes]
        complete = len(nodes) == title.recipe.nodes and all(n in whole for n in nodes)
        return tuple(whole[node] for node in nodes) if complete else ()
    for sight in sorted(whole.values(), key=lambda sight: not sight.fresh):
        return (sight,)
    return ()


def state_of(title: Title, sights: Sequence[Sight]) -> State:
    """Say how far a model is from being started."""
    if not title.places:
        return "missing"
    if title.recipe is not None and hosts_for(title, sights):
        return "ready"
    if any(place.copy.state == "downloading" for place in title.places):
        return "downloading"
    if title.recipe is None and any(place.whole for place in title.places):
        return "needs_setup"
    return "incomplete"


def model_view(
    title: Title,
    sights: Sequence[Sight],
    loaded: str | None,
    load_seconds: Mapping[str, float | None],
    source: Source | None = None,
) -> ModelView:
    """Return the card of one model; ``source``: where its recipe comes from."""
    recipe = title.recipe
    known = [place.copy.context_length for place in title.places if place.copy.context_length]
    return ModelView(
        key=title.key,
        name=title.name,
        repo=title.repo,
        local_path=recipe.local_path if recipe else None,
        source=source,
        served_name=title.served_name,
        state=state_of(title, sights),
        mode=recipe.mode if recipe else "solo",
        capabilities=list(recipe.capabilities) if recipe else [],
        context_length=(recipe.context if recipe else None) or next(iter(known), None),
        copies=[
            ModelCopy(
                host=place.sight.spark.name,
                size_bytes=place.copy.size_bytes + place.copy.incomplete_bytes,
                state=place.copy.state,
                incomplete_bytes=place.copy.incomplete_bytes,
                missing=list(place.copy.missing),
                root_owned=place.copy.root_owned,
                stale=place.stale,
            )
            for place in title.places
        ],
        size_bytes=max((place.copy.size_bytes for place in title.places), default=None),
        load_seconds=load_seconds.get(title.key),
        loaded=title.key == loaded,
        expected_bytes=recipe.size_bytes if recipe else None,
        fit=fit_of(recipe, hosts_for(title, sights), sights, _weights(title)) if recipe else None,
    )


def _weights(title: Title) -> int | None:
    """Return the size of the weights: of the largest whole copy, else as the recipe expects."""
    whole = [place.copy.size_bytes for place in title.places if place.whole]
    return max(whole, default=title.recipe.size_bytes if title.recipe else None)


def build_menu(
    book: RecipeBook,
    sights: Sequence[Sight],
    runtime: RuntimeView,
    load_seconds: Mapping[str, float | None],
    as_of: datetime,
) -> Menu:
    """Return the whole menu."""
    shown = titles(book, sights, runtime.model)
    return Menu(
        models=[
            model_view(
                title,
                sights,
                runtime.model,
                load_seconds,
                book.source_of(title.key) if title.recipe else None,
            )
            for title in shown
        ],
        recipes=[
            RecipeView(
                key=recipe.key,
                name=recipe.name,
                repo=recipe.target,
                mode=recipe.mode,
                source=book.source_of(recipe.key),
                local_path=recipe.local_path,
                size_bytes=recipe.size_bytes,
            )
            for recipe in sorted(book.recipes, key=lambda recipe: recipe.name.casefold())
        ],
        hosts=[sight.view() for sight in sights],
        runtime=runtime,
        problems=list(book.problems),
        as_of=as_of,
    )


def outline(menu: Menu) -> dict[str, object]:
    """Return what a person would call a change of the menu, part by part.

    Left out is what moves all the time: when it was looked at, free memory, free disk, for how
    long a host is away.
    """
    return {
        "models": [model.model_dump() for model in menu.models],
        "recipes": (menu.problems, [recipe.model_dump() for recipe in menu.recipes]),
        "hosts": [(host.name, host.state) for host in menu.hosts],
        "runtime": menu.runtime.model_dump(exclude={"since"}),
    }
