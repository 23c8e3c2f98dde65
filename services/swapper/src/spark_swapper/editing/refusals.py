"""What speaks against a change of recipes, in sentences that say what to do. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from spark_common.contracts.recipes import FieldProblem
from spark_common.errors import ConflictError, InvalidRequestError
from spark_swapper.editing.forms import errors_of
from spark_swapper.recipes import Recipe, RecipeBook
from spark_swapper.recipes.book import bundled_fields, overlaid, reason_of
from spark_swapper.recipes.local_path import identity


def refuse_conflict(recipe: Recipe, book: RecipeBook, replace: bool) -> None:
    """Refuse a recipe whose key or weights have another one already."""
    other = book.for_repo(recipe.target)
    if other is not None and other.key != recipe.key:
        raise ConflictError(
            f"{other.key!r} is the recipe for {recipe.target} already; change that one",
            model=other.key,
        )
    if replace:
        return
    if recipe.key in book.own:
        raise ConflictError(
            f"there is an entry {recipe.key!r} already; save with replace to put this in its place",
            model=recipe.key,
        )
    bundled = book.bundled.get(recipe.key)
    if bundled is not None and identity(bundled.target) != identity(recipe.target):
        raise ConflictError(
            f"{recipe.key!r} is the key of the bundled recipe for {bundled.target}; take another "
            "key, or save with replace to put this in its place",
            model=recipe.key,
        )


def refuse_invalid(key: str, fields: Mapping[str, Any]) -> None:
    """Refuse to add to an entry that a person wrote and that is wrong without the addition."""
    try:
        Recipe.model_validate({**overlaid(bundled_fields(key), fields), "key": key})
    except ValidationError as wrong:
        raise ConflictError(
            f"your entry {key!r} in models.override.yaml is not valid ({reason_of(wrong)}): "
            "correct it by hand, or reset it",
            model=key,
        ) from wrong


def refuse_bundled(recipe: Recipe, book: RecipeBook) -> None:
    """Refuse to remove what comes with the product."""
    if recipe.key in book.bundled:
        raise ConflictError(
            f"{recipe.name} is a bundled recipe, which cannot be removed; reset its knobs to go "
            "back to what was bundled",
            model=recipe.key,
        )


def refusal(problems: Sequence[FieldProblem]) -> InvalidRequestError:
    """Return the error for a form or flags with these problems; details have all of them."""
    errors = errors_of(problems)
    told = "; ".join(f"{one.field}: {one.message}" for one in errors[:5]) or "it is not valid"
    return InvalidRequestError(
        told, problems=[one.model_dump(mode="json") for one in problems[:50]]
    )
