"""All recipes at one moment: the bundle, and over it the owner's own file. Never changes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from spark_swapper.recipes.document import Document, Fields, read_document
from spark_swapper.recipes.local_path import identity
from spark_swapper.recipes.model import Recipe
from spark_swapper.recipes.own_file import OwnFile
from spark_swapper.recipes.reserved import unheard

OVERRIDES = "models.override.yaml"
"""The owner's own recipes, in the service's data folder."""
Source = Literal["bundled", "override", "own"]


@dataclass(frozen=True)
class RecipeBook:
    """All valid recipes, and why the others were left out."""

    recipes: tuple[Recipe, ...] = ()
    problems: tuple[str, ...] = ()
    bundled: Mapping[str, Recipe] = field(default_factory=dict)
    """By key: every bundled recipe as it was bundled."""
    own: Mapping[str, object] = field(default_factory=dict)
    """By key: what the owner's file has, valid or not."""
    locked: str | None = None
    """Why the owner's file cannot be read, and so must not be written over."""
    _by_target: dict[str, Recipe] = field(init=False, repr=False, compare=False)
    _by_key: dict[str, Recipe] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_target", {identity(one.target): one for one in self.recipes})
        object.__setattr__(self, "_by_key", {one.key: one for one in self.recipes})

    def for_repo(self, target: str) -> Recipe | None:
        """Return the recipe for a repository, or for a local model's directory.

        The hub does not tell upper from lower case; a disk does.
        """
        return self._by_target.get(identity(target))

    def with_key(self, key: str) -> Recipe | None:
        """Return the recipe with this key."""
        return self._by_key.get(key)

    def source_of(self, key: str) -> Source:
        """Return where the recipe with this key comes from."""
        if key not in self.bundled:
            return "own"
        return "override" if key in self.own else "bundled"

    @property
    def local_paths(self) -> tuple[str, ...]:
        """The directories of all local models."""
        return tuple(one.local_path for one in self.recipes if one.local_path is not None)

    @property
    def book(self) -> "RecipeBook":
        """Itself: a book that nobody changes can be had wherever a source is wanted."""
        return self

    def notice(self) -> bool:
        """Return False: it never changes."""
        return False


class RecipeSource(Protocol):
    """Where the current book comes from."""

    @property
    def book(self) -> RecipeBook:
        """The book that is in force now; keep it for as long as one answer takes."""
        ...

    def notice(self) -> bool:
        """Look whether the owner's file was changed by hand; return whether the book changed."""
        ...


def load_recipes(override: Path | None = None) -> RecipeBook:
    """Read the bundle and, over it, the owner's file; what is wrong is left out and said.

    An override entry with a bundled key replaces only the fields it has; with a new key it is
    an entry of its own. A missing override file is no problem.
    """
    if override is None:
        return compose(Document(), OVERRIDES)
    return compose(OwnFile(override).read(), override.name)


def compose(own: Document, source: str) -> RecipeBook:
    """Return the book of the bundle and the owner's entries. Pure, but for the bundle itself."""
    bundle = _bundle()
    problems = [*bundle.problems, *own.problems]
    bundled: dict[str, Recipe] = {}
    found: dict[str, Recipe] = {}
    # The owner's come first: an upgrade that bundles the same repository takes none away.
    for key, fields in own.entries.items():
        if key not in bundle.entries and (recipe := _recipe(key, fields, source, problems)):
            _add(found, recipe, source, problems)
    for key, fields in bundle.entries.items():
        recipe = _recipe(key, fields, "models.yaml", problems)
        if recipe is None:
            continue
        bundled[key] = recipe
        if key in own.entries:
            recipe = _recipe(key, own.entries[key], source, problems, under=fields) or recipe
        _add(found, recipe, source if key in own.entries else "models.yaml", problems)
    for recipe in found.values():
        if recipe.key in own.entries:
            said = unheard(recipe.flags, recipe.serves_as)
            problems += [f"{source}: {recipe.key!r} is used without {one}" for one in said]
    return RecipeBook(
        recipes=tuple(found.values()),
        problems=tuple(problems),
        bundled=bundled,
        own=own.entries,
        locked=own.unreadable,
    )


def overlaid(under: object, over: Fields) -> dict[str, Any]:
    """Return a bundled entry's fields with the owner's over them.

    Repository and directory exclude each other: naming one takes the other away.
    """
    merged = dict(under) if isinstance(under, Mapping) else {}
    if "local_path" in over and "repo" not in over:
        merged.pop("repo", None)
    if "repo" in over and "local_path" not in over:
        merged.pop("local_path", None)
    return {**merged, **over}


@cache
def _bundle() -> Document:
    text = resources.files("spark_swapper").joinpath("models.yaml").read_text("utf-8")
    return read_document(text, "models.yaml")


def bundled_fields(key: str) -> Fields:
    """Return a bundled entry as it is written; nothing for a key that is not bundled."""
    fields = _bundle().entries.get(key)
    return fields if isinstance(fields, Mapping) else {}


def _add(found: dict[str, Recipe], recipe: Recipe, source: str, problems: list[str]) -> None:
    other = found.setdefault(identity(recipe.target), recipe)
    if other is not recipe:
        problems.append(
            f"{source}: {recipe.key!r} is left out: "
            f"{other.key!r} is the recipe for {recipe.target} already"
        )


def _recipe(
    key: str, fields: object, source: str, problems: list[str], under: object = None
) -> Recipe | None:
    if not isinstance(fields, Mapping):
        problems.append(f"{source}: {_shown(key)} is left out: it is not a mapping of fields")
        return None
    try:
        merged = overlaid(under, {str(name): value for name, value in fields.items()})
        return Recipe.model_validate({**merged, "key": key})
    except ValidationError as wrong:
        problems.append(f"{source}: {_shown(key)} is left out: {reason_of(wrong)}")
    return None


def reason_of(wrong: ValidationError) -> str:
    """Name the first wrong field without repeating what was written there."""
    place, message = reasons_of(wrong)[0]
    return f"{place}: {message}" if place else message


def reasons_of(wrong: ValidationError) -> list[tuple[str, str]]:
    """Return every wrong field and what is wrong with it, without what was written there."""
    found = []
    for error in wrong.errors(include_url=False, include_input=False):
        place = ".".join(_printable(str(part)) for part in error["loc"])
        found.append((place, re.sub(r"^Value error, ", "", error["msg"])))
    return found


def _shown(key: str) -> str:
    return repr(key[:80])


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:80])
