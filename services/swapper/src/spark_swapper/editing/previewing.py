"""What a recipe would run, what speaks against it, and what it takes of the memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spark_common.contracts.recipes import FieldProblem, Knobs, Preview, RecipeDetail
from spark_common.errors import InvalidRequestError
from spark_swapper.causes import SwapFault
from spark_swapper.editing.flag_check import Context, check_flags
from spark_swapper.editing.forms import form_of
from spark_swapper.editing.knobs import FIELDS, further_flags, knob_flags, read_knobs
from spark_swapper.editing.memory_help import longest_context, memory_help
from spark_swapper.launching.flags import compact, merge_flags
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.launching.launcher import LauncherFeatures, adapt, line_of
from spark_swapper.menu.hosts import Hosts
from spark_swapper.menu.menu import Title, hosts_for, titles
from spark_swapper.recipes import Recipe, RecipeSource
from spark_swapper.recipes.local_path import identity
from spark_swapper.suggest.facts import ModelFiles
from spark_swapper.suggest.reader import ModelReader


@dataclass(frozen=True)
class Change:
    """Knobs and further flags, turned into arguments over a recipe's own."""

    extra_args: tuple[str, ...]
    """Every flag once: the knobs that differ, then the list; of the same flag the list's."""
    problems: tuple[FieldProblem, ...]


def context_of(recipe: Recipe) -> Context:
    """Return what the verdict on its flags depends on."""
    accepted = frozenset(flag.key for flag in recipe.flags)
    return Context(bool(recipe.image), recipe.repo is not None, bool(recipe.mods), accepted)


def change_of(recipe: Recipe, knobs: Knobs, flags: Sequence[str]) -> Change:
    """Return what these knobs and flags change of a recipe, and what is wrong with them. Pure."""
    problems = check_flags(flags, context_of(recipe))
    turned = knob_flags(knobs, merge_flags(recipe.args))
    try:
        listed = merge_flags(flags)
    except ValueError:
        return Change(compact(turned), tuple(problems))
    both = {flag.key for flag in turned} & {flag.key for flag in listed}
    for key in sorted(both):
        problems.append(
            FieldProblem(
                field=f"knobs.{FIELDS[key]}",
                message=f"--{key} stands in the list of flags as well; the list counts",
                severity="warning",
            )
        )
    merged = merge_flags([*compact(turned), *compact(listed)])
    return Change(compact(merged), tuple(problems))


class Previewing:
    """Shows recipes; asks a Spark only for a model's small files, and rarely."""

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

    async def preview(
        self, recipe: Recipe | None, problems: Sequence[FieldProblem] = ()
    ) -> Preview:
        """Return the preview of a recipe; of None only what is wrong with it."""
        if recipe is None:
            return Preview(problems=list(problems))
        title = self._title(recipe)
        return self._shown(recipe, title, await self._reader.known(title), problems)

    async def detail(self, recipe: Recipe) -> RecipeDetail:
        """Return a recipe of the book with everything a form needs."""
        book = self._recipes.book
        source = book.source_of(recipe.key)
        title = self._title(recipe)
        files = await self._reader.known(title)
        bundled = book.bundled.get(recipe.key)
        known = [place.copy.context_length for place in title.places if place.copy.context_length]
        form = form_of(recipe)
        problems = check_flags(form.args, context_of(recipe), "args")
        if bundled is not None:
            # What a bundled recipe says is only news where it is wrong.
            kept = {f"--{flag.key}" for flag in bundled.flags}
            problems = [one for one in problems if one.severity == "error" or one.field not in kept]
        return RecipeDetail(
            form=form,
            source=source,
            knobs=read_knobs(recipe.flags),
            bundled_knobs=read_knobs(bundled.flags) if bundled else None,
            flags=list(compact(further_flags(recipe.extra_args))),
            preview=self._shown(recipe, title, files, problems),
            longest_context=longest_context(files) or next(iter(known), None),
        )

    def _title(self, recipe: Recipe) -> Title:
        """Return the recipe with the places where its files are, saved or not."""
        same = identity(recipe.target)
        for title in titles(self._recipes.book, self._hosts.sights):
            if identity(title.repo) == same:
                return Title(recipe.key, title.repo, recipe, title.places)
        return Title(recipe.key, recipe.target, recipe, ())

    def _shown(
        self,
        recipe: Recipe,
        title: Title,
        files: ModelFiles | None,
        problems: Sequence[FieldProblem],
    ) -> Preview:
        sights = self._hosts.sights
        whole = [place.copy.size_bytes for place in title.places if place.whole]
        weights = max(whole, default=None) or recipe.size_bytes
        if files is not None and files.weight_bytes:
            weights = files.weight_bytes
        help_ = memory_help(recipe, hosts_for(title, sights), sights, weights, files)
        try:
            # In the words of the checkout on the Spark where it would run.
            on = hosts_for(title, sights) or sights[: recipe.nodes]
            names = [sight.spark.name for sight in on]
            plan = plan_launch(recipe, title.repo, self._launch, names)
            order = adapt(plan, self._features(plan.head))
        except (InvalidRequestError, SwapFault) as wrong:
            said = wrong.message if isinstance(wrong, InvalidRequestError) else str(wrong)
            found = [*problems, FieldProblem(field="args", message=said)]
            return Preview(problems=found, memory=help_)
        return Preview(
            launch_argv=list(order.argv),
            launch_cmd=line_of(order),
            vllm_args=list(plan.vllm_argv),
            problems=list(problems),
            memory=help_,
        )
