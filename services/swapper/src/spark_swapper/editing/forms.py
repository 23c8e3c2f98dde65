"""Between a recipe, the form people edit, and the owner's fields in the file. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from spark_common.contracts.recipes import FieldProblem, RecipeForm
from spark_swapper.editing.flag_check import Context, check_flags
from spark_swapper.launching.flags import Flag, compact, merge_flags
from spark_swapper.recipes import Recipe
from spark_swapper.recipes.book import reasons_of
from spark_swapper.recipes.reserved import DECIDED

_DEFAULTS: Mapping[str, Any] = RecipeForm(name="-").model_dump(exclude={"name"})


def form_of(recipe: Recipe) -> RecipeForm:
    """Return the form of a recipe: all its arguments as they are in force, each flag once."""
    flags = [flag for flag in recipe.flags if flag.key not in DECIDED]
    return RecipeForm(
        key=recipe.key,
        repo=recipe.repo,
        local_path=recipe.local_path,
        name=recipe.name,
        mode=recipe.mode,
        served_name=recipe.serves_as,
        image=recipe.image,
        tensor_parallel=recipe.tensor_parallel,
        pipeline_parallel=recipe.pipeline_parallel,
        data_parallel=recipe.data_parallel,
        mods=list(recipe.mods),
        env=dict(recipe.env),
        args=list(compact(flags)),
        capabilities=list(recipe.capabilities),
        context_length=recipe.context,
        size_bytes=recipe.size_bytes,
    )


def fields_of(form: RecipeForm, key: str) -> dict[str, Any]:
    """Return the fields of an entry of one's own: what is as usual is left out."""
    fields = form.model_dump(exclude={"key"})
    if fields.get("served_name") == key:
        fields["served_name"] = None
    return {
        name: value
        for name, value in fields.items()
        if name == "name" or (value != _DEFAULTS[name] and value is not None)
    }


def changes_of(form: RecipeForm, key: str, bundled: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an override: only what differs from the bundled entry.

    Arguments are kept as single flags where that says it all, so that what an upgrade changes in
    the others is not held back.
    """
    asked = form.model_dump(exclude={"key", "args"})
    if form.served_name == key and "served_name" not in bundled:
        asked["served_name"] = None
    changed = {
        name: value
        for name, value in asked.items()
        if value != _bundled_value(bundled, name) and not (value is None and name not in bundled)
    }
    if form.repo is not None:
        changed.pop("local_path", None)
    if form.local_path is not None:
        changed.pop("repo", None)
    if form.context_length == Recipe.model_validate({**bundled, "key": key}).context:
        changed.pop("context_length", None)
    before = merge_flags([str(one) for one in bundled.get("args", ())])
    after = merge_flags(form.args)
    before = tuple(flag for flag in before if flag.key not in DECIDED)
    if {flag.key for flag in before} <= {flag.key for flag in after}:
        known = {flag.key: flag for flag in before}
        different = [flag for flag in after if not _same(known.get(flag.key), flag)]
        if different:
            changed["extra_args"] = list(compact(different))
    else:
        changed["args"] = list(form.args)
    return changed


def read_form(
    form: RecipeForm, key: str, *, present: Recipe | None = None, believed: bool = False
) -> tuple[Recipe | None, list[FieldProblem]]:
    """Return the recipe of a form, and everything that is wrong with it, field by field.

    ``present``: the recipe it replaces, whose flags may stay. ``believed``: it was written for
    this launcher, so a flag that is not known here is no error.
    """
    own_image = believed or bool(form.image)
    accepted = frozenset(flag.key for flag in present.flags) if present else frozenset()
    context = Context(own_image, form.repo is not None, bool(form.mods), accepted)
    problems = check_flags(form.args, context, "args")
    try:
        recipe = Recipe.model_validate({**form.model_dump(), "key": key})
    except ValidationError as wrong:
        for place, message in reasons_of(wrong):
            # What was said of a flag is not said again of the whole.
            if place or not any(message.startswith(f"{one.field} ") for one in problems):
                problems.append(FieldProblem(field=place or "recipe", message=message))
        return None, problems
    return recipe, problems


def errors_of(problems: Sequence[FieldProblem]) -> list[FieldProblem]:
    """Return those that speak against saving."""
    return [problem for problem in problems if problem.severity == "error"]


def _bundled_value(bundled: Mapping[str, Any], name: str) -> object:
    value = bundled.get(name, _DEFAULTS.get(name))
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _same(one: Flag | None, other: Flag) -> bool:
    return one is not None and one.values == other.values and _plain(one) == _plain(other)


def _plain(flag: Flag) -> str:
    return flag.spelled.lstrip("-").replace("_", "-")
