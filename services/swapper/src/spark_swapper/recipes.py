"""Recipes: how to launch a repository. Bundled ones, and the owner's on top of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from spark_swapper.flags import check_element, merge_flags

OVERRIDES = "models.override.yaml"
"""The owner's own recipes, in the service's data folder."""
SECRET_FLAGS = frozenset({"api-key", "hf-token", "ssl-keyfile-password"})
"""Flags whose value everybody on the Spark could read in the process list."""


def _number_as_text(value: object) -> object:
    """YAML reads ``262144`` as a number; a command line only has text. Booleans stay wrong."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


_Element = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(check_element)]
_EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
# The launcher word-splits this value on the head and lets a shell read it on the worker.
_EnvValue = Annotated[
    str,
    BeforeValidator(_number_as_text),
    StringConstraints(pattern=r"^[A-Za-z0-9._/:=@,+-]*$", max_length=500),
]
_Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
_Repo = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$"),
    StringConstraints(max_length=200),
]
_ServedName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}$")]
_Image = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$")]
_Mod = Annotated[
    str, StringConstraints(pattern=r"^mods/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)
]


class Recipe(BaseModel):
    """How to launch one repository. An unknown field is a typo and makes the entry invalid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: _Key
    repo: _Repo
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
    mode: Literal["solo", "cluster"] = "solo"
    served_name: _ServedName | None = None
    """What clients of ``/v1`` name; the key unless given."""
    image: _Image | None = None
    """Image of the runtime; the cluster's own unless given."""
    tensor_parallel: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of Sparks that share the model."""
    mods: tuple[_Mod, ...] = ()
    """Patches of the launcher's checkout that are applied to the container first."""
    env: Mapping[_EnvName, _EnvValue] = {}
    """Environment of the runtime inside the container."""
    args: tuple[_Element, ...] = ()
    """What follows ``vllm serve REPO``, one element per argument."""
    extra_args: tuple[_Element, ...] = ()
    """More of them, for overrides: they replace the same flag of ``args``."""
    capabilities: tuple[Literal["chat", "vision", "tools", "reasoning"], ...] = ("chat",)
    context_length: Annotated[int, Field(ge=1)] | None = None
    """Tokens, as launched."""
    size_bytes: Annotated[int, Field(ge=1)] | None = None
    """Expected size of the weights."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys = {flag.key for flag in merge_flags([*self.args, *self.extra_args])}
        if secrets := sorted(keys & SECRET_FLAGS):
            raise ValueError(f"--{secrets[0]} would be readable by everybody on the Spark")
        if "model" in keys:
            raise ValueError("--model is decided by repo")
        if self.mode == "cluster" and self.tensor_parallel == 1:
            raise ValueError("mode cluster needs tensor_parallel of 2 or more")
        if self.mode == "solo" and self.tensor_parallel != 1:
            raise ValueError("mode solo runs on one Spark: leave tensor_parallel out")
        return self

    @property
    def serves_as(self) -> str:
        """What clients of ``/v1`` name."""
        if self.served_name is not None:
            return self.served_name
        for flag in merge_flags([*self.args, *self.extra_args]):
            if flag.key == "served-model-name" and flag.values:
                return flag.values[0]
        return self.key


@dataclass(frozen=True)
class RecipeBook:
    """All valid recipes, and why the others were left out."""

    recipes: tuple[Recipe, ...] = ()
    problems: tuple[str, ...] = ()
    _by_repo: dict[str, Recipe] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_repo = {recipe.repo.casefold(): recipe for recipe in self.recipes}
        object.__setattr__(self, "_by_repo", by_repo)

    def for_repo(self, repo: str) -> Recipe | None:
        """Return the recipe for a repository; the hub does not tell upper from lower case."""
        return self._by_repo.get(repo.casefold())


def load_recipes(override: Path | None = None) -> RecipeBook:
    """Read the bundle and, over it, the owner's file; what is wrong is left out and said.

    An override entry with a bundled key replaces only the fields it has; with a new key it is
    an entry of its own. A missing override file is no problem.
    """
    problems: list[str] = []
    bundle = resources.files("spark_swapper").joinpath("models.yaml").read_text("utf-8")
    entries = _entries(bundle, "models.yaml", problems)
    if override is not None and override.exists():
        try:
            text = override.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as wrong:
            problems.append(f"{override.name} cannot be read: {wrong}")
        else:
            own = _entries(text, override.name, problems)
            return _book(_merged(entries, own, override.name, problems), problems)
    return _book([_Entry("models.yaml", key, fields) for key, fields in entries.items()], problems)


@dataclass(frozen=True)
class _Entry:
    source: str
    key: str
    fields: dict[str, Any]
    fallback: dict[str, Any] | None = None
    """The bundled entry under an override, which stands when the override is wrong."""


def _entries(text: str, source: str, problems: list[str]) -> dict[str, dict[str, Any]]:
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        problems.append(f"{source} is not valid YAML{place}; all of its entries are left out")
        return {}
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, dict):
        if document:
            problems.append(f"{source} has no mapping 'models'; all of its entries are left out")
        return {}
    found: dict[str, dict[str, Any]] = {}
    for key, fields in models.items():
        if isinstance(fields, dict):
            found[str(key)] = fields
        else:
            problems.append(f"{source}: {str(key)!r} is left out: it is not a mapping of fields")
    return found


def _merged(
    bundle: dict[str, dict[str, Any]],
    own: dict[str, dict[str, Any]],
    source: str,
    problems: list[str],
) -> list[_Entry]:
    merged = []
    for key, fields in bundle.items():
        if key in own:
            merged.append(_Entry(source, key, {**fields, **own[key]}, fields))
        else:
            merged.append(_Entry("models.yaml", key, fields))
    merged += [_Entry(source, key, fields) for key, fields in own.items() if key not in bundle]
    return merged


def _book(entries: list[_Entry], problems: list[str]) -> RecipeBook:
    recipes: dict[str, Recipe] = {}
    for entry in entries:
        recipe = _recipe(entry, problems)
        if recipe is None:
            continue
        other = recipes.setdefault(recipe.repo.casefold(), recipe)
        if other is not recipe:
            problems.append(
                f"{entry.source}: {entry.key!r} is left out: "
                f"{other.key!r} is the recipe for {recipe.repo} already"
            )
    return RecipeBook(tuple(recipes.values()), tuple(problems))


def _recipe(entry: _Entry, problems: list[str]) -> Recipe | None:
    for fields in (entry.fields, entry.fallback):
        if fields is None:
            continue
        try:
            return Recipe.model_validate({**fields, "key": entry.key})
        except ValidationError as wrong:
            problems.append(f"{entry.source}: {entry.key!r} is left out: {_reason(wrong)}")
    return None


def _reason(wrong: ValidationError) -> str:
    """Name the first wrong field without repeating what was written there."""
    first = wrong.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = re.sub(r"^Value error, ", "", first["msg"])
    return f"{place}: {message}" if place else message
