"""Changes recipes for people: save, remove, knobs; every refusal says what to do."""

import difflib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from pydantic import ValidationError

from spark_common.contracts.recipes import (
    FieldProblem,
    ImportTemplate,
    Preview,
    PreviewRecipe,
    RecipeDetail,
    RecipeForm,
    RemoveRecipe,
    SaveRecipe,
    SetKnobs,
)
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    ModelInUseError,
    ModelNotReadyError,
    UnknownModelError,
)
from spark_swapper.editing.forms import changes_of, errors_of, fields_of, read_form
from spark_swapper.editing.previewing import Change, Previewing, change_of
from spark_swapper.editing.refusals import (
    refusal,
    refuse_bundled,
    refuse_conflict,
    refuse_invalid,
)
from spark_swapper.recipes import Recipe, RecipeBook, Recipes
from spark_swapper.recipes.book import bundled_fields, reasons_of
from spark_swapper.recipes.keys import free_key
from spark_swapper.templates import Templating

log = structlog.get_logger()


class Editing:
    """The owner's changes; one at a time, and the menu is told after each."""

    def __init__(
        self,
        recipes: Recipes,
        previewing: Previewing,
        templating: Templating,
        named: Callable[[str], str | None],
        in_use: Callable[[], Awaitable[frozenset[str]]],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """``named``: the key of any name on the menu; ``in_use``: keys that are loaded or swapped
        to; ``changed``: called after every change."""
        self._recipes = recipes
        self._previewing = previewing
        self._templating = templating
        self._named = named
        self._in_use = in_use
        self._changed = changed

    async def get(self, name: str) -> RecipeDetail:
        """Return a recipe by any name of its model; raises UnknownModelError."""
        self._recipes.notice()
        return await self._previewing.detail(self._find(name))

    async def preview(self, request: PreviewRecipe) -> Preview:
        """Return what a form, or knobs over an entry, would run; saves nothing."""
        if (request.recipe is None) == (request.model is None):
            raise InvalidRequestError("give either recipe or model")
        self._recipes.notice()
        if request.recipe is not None:
            form = request.recipe
            key = form.key or _key_for(form, self._recipes.book)
            recipe, problems = read_form(form, key)
            if recipe is not None:
                recipe, more = _changed(recipe, change_of(recipe, request.knobs, request.flags))
                problems += more
        else:
            base = _base(self._find(request.model or ""))
            recipe, problems = _changed(base, change_of(base, request.knobs, request.flags))
        return await self._previewing.preview(recipe, problems)

    async def save(self, request: SaveRecipe) -> RecipeDetail:
        """Add or replace an entry; a bundled key becomes an override of it.

        Raises InvalidRequestError (``details['problems']``), ConflictError.
        """
        form = request.recipe

        def edit(book: RecipeBook) -> tuple[str, Mapping[str, Any] | None]:
            key = form.key or _key_for(form, book)
            recipe, problems = read_form(form, key)
            if recipe is None or errors_of(problems):
                raise refusal(problems)
            refuse_conflict(recipe, book, request.replace)
            if key in book.bundled:
                return key, changes_of(form, key, bundled_fields(key)) or None
            return key, fields_of(form, key)

        return await self._commit(edit, request.requested_by, "saved")

    async def set_knobs(self, request: SetKnobs) -> RecipeDetail:
        """Set knobs and further flags of an entry, or go back to its own values."""

        def edit(book: RecipeBook) -> tuple[str, Mapping[str, Any] | None]:
            recipe = self._find(request.model)
            written = book.own.get(recipe.key)
            fields = dict(written) if isinstance(written, Mapping) else {}
            bundled = recipe.key in book.bundled
            if request.reset:
                fields.pop("extra_args", None)
                return recipe.key, None if bundled else fields
            base = _base(recipe)
            change = change_of(base, request.knobs, request.flags)
            changed, problems = _changed(base, change)
            if changed is None or errors_of(problems):
                raise refusal(problems)
            fields.pop("extra_args", None)
            if change.extra_args:
                fields["extra_args"] = list(change.extra_args)
            refuse_invalid(recipe.key, fields)
            return recipe.key, None if bundled and not fields else fields

        return await self._commit(edit, request.requested_by, "knobs")

    async def remove(self, request: RemoveRecipe) -> RecipeDetail:
        """Remove an own entry and return what it was; files on disk stay.

        Raises ConflictError for bundled ones, ModelInUseError, UnknownModelError.
        """
        self._recipes.notice()
        book = self._recipes.book
        if request.model in book.own and book.with_key(request.model) is None:
            raise ConflictError(
                f"the entry {request.model!r} is not valid, so nothing uses it; correct or remove "
                "it in models.override.yaml by hand"
            )
        recipe = self._find(request.model)
        refuse_bundled(recipe, book)
        if recipe.key in await self._in_use():
            raise ModelInUseError(
                f"{recipe.name} is loaded or being loaded; swap to another model first",
                model=recipe.key,
            )
        detail = await self._previewing.detail(recipe)

        def edit(book: RecipeBook) -> tuple[str, Mapping[str, Any] | None]:
            found = book.with_key(recipe.key)
            if found is None:
                raise UnknownModelError(f"there is no recipe {recipe.key!r} any more", near=[])
            refuse_bundled(found, book)
            return recipe.key, None

        await self._recipes.change(edit)
        log.info(
            "recipes.changed",
            what="removed",
            model=recipe.key,
            requested_by=request.requested_by,
        )
        await self._changed()
        return detail

    async def import_template(self, request: ImportTemplate) -> RecipeDetail:
        """Save a template of the launcher's checkout as an entry.

        Raises NotFoundError, InvalidRequestError, ConflictError.
        """
        template = await self._templating.find(request.name)
        if template.form is None:
            raise InvalidRequestError(
                f"the template {request.name!r} cannot be imported: {template.problem}"
            )
        self._recipes.notice()
        key = request.key or template.known_as or template.form.key
        known = template.known_as
        if known is not None and not request.replace:
            raise ConflictError(
                f"{known!r} is the recipe for {template.repo} already; import it with replace to "
                "put the template in its place",
                model=known,
            )
        form = _as_known(template.form, self._recipes.book).model_copy(update={"key": key})
        return await self.save(
            SaveRecipe(recipe=form, replace=request.replace, requested_by=request.requested_by)
        )

    async def _commit(
        self, edit: Callable[[RecipeBook], tuple[str, Mapping[str, Any] | None]], by: str, what: str
    ) -> RecipeDetail:
        keys: list[str] = []

        def remembered(book: RecipeBook) -> tuple[str, Mapping[str, Any] | None]:
            key, fields = edit(book)
            keys.append(key)
            return key, fields

        book = await self._recipes.change(remembered)
        log.info("recipes.changed", what=what, model=keys[-1], requested_by=by)
        await self._changed()
        recipe = book.with_key(keys[-1])
        if recipe is None:
            reason = next(
                (one for one in book.problems if repr(keys[-1]) in one), "it is not valid"
            )
            raise ConflictError(f"it was saved and cannot be used: {reason}", model=keys[-1])
        return await self._previewing.detail(recipe)

    def _find(self, name: str) -> Recipe:
        """Return the recipe a name means: a key before a repository, a served name last."""
        book = self._recipes.book
        folded = name.strip().casefold()
        for kind in ("key", "target", "serves_as"):
            for recipe in book.recipes:
                if folded == getattr(recipe, kind).casefold():
                    return recipe
        key = self._named(name)
        if key is not None:
            raise ModelNotReadyError(f"{key} has no recipe yet: set it up first", model=key)
        raise UnknownModelError(f"there is no recipe {name!r}", near=_near(folded, book))


def _as_known(form: RecipeForm, book: RecipeBook) -> RecipeForm:
    """Return a template's form with what only our own recipe knows: size, and seeing pictures."""
    known = book.for_repo(form.repo or form.local_path or "")
    if known is None:
        return form
    seen = [one for one in known.capabilities if one not in form.capabilities]
    kept = [*form.capabilities, *(one for one in seen if one not in {"tools", "reasoning"})]
    return form.model_copy(update={"size_bytes": known.size_bytes, "capabilities": kept})


def _near(folded: str, book: RecipeBook) -> list[Any]:
    keys = [recipe.key for recipe in book.recipes]
    close = difflib.get_close_matches(folded, keys, n=5, cutoff=0.6)
    inside = [key for key in keys if folded and (folded in key or key in folded)]
    return list(dict.fromkeys([*close, *inside]))[:5]


def _base(recipe: Recipe) -> Recipe:
    """Return a recipe without knobs and further flags of the owner."""
    return recipe.model_copy(update={"extra_args": ()})


def _changed(recipe: Recipe, change: Change) -> tuple[Recipe | None, list[FieldProblem]]:
    """Return a recipe with the change in force, and everything that is wrong with it."""
    problems = list(change.problems)
    try:
        fields = {**recipe.model_dump(), "extra_args": change.extra_args}
        return Recipe.model_validate(fields), problems
    except ValidationError as wrong:
        problems += [
            FieldProblem(field=place or "flags", message=message)
            for place, message in reasons_of(wrong)
            if not any(message.startswith(f"{one.field} ") for one in problems)
        ]
        return None, problems


def _key_for(form: RecipeForm, book: RecipeBook) -> str:
    """Return the key of the recipe for the same weights, else a free one made from their name."""
    target = form.repo or form.local_path or form.name
    known = book.for_repo(target)
    taken = {recipe.key for recipe in book.recipes} | set(book.own) | set(book.bundled)
    return known.key if known else free_key(target, taken)
