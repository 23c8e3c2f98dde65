"""The launch of a model with knobs and flags that nobody saved yet."""

from collections.abc import Sequence
from dataclasses import replace

from spark_common.contracts.recipes import Knobs
from spark_common.errors import InvalidRequestError
from spark_swapper.editing.knobs import further_flags, read_knobs
from spark_swapper.editing.previewing import change_of
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.flags import compact, merge_flags
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.recipes import RecipeSource
from spark_swapper.recipes.reserved import refusal


class Trying:
    """Changes candidates the way a save would."""

    def __init__(self, recipes: RecipeSource, launch: LaunchSettings) -> None:
        self._recipes = recipes
        self._launch = launch

    def __call__(
        self, candidate: Candidate, knobs: Knobs | None, flags: Sequence[str] | None
    ) -> Candidate:
        """Return the candidate as these knobs and this whole list of flags would start it.

        What is None stays as it is saved. Whether the flags are any good is for vLLM to say; only
        what no argument list can carry, and what no list may have, is refused here. Raises
        InvalidRequestError.
        """
        recipe = self._recipes.book.with_key(candidate.key)
        if recipe is None or (knobs is None and flags is None):
            return candidate
        turned = read_knobs(recipe.flags) if knobs is None else knobs
        listed = list(compact(further_flags(recipe.extra_args))) if flags is None else list(flags)
        try:
            keys = {flag.key for flag in merge_flags(listed)}
        except ValueError as wrong:
            raise InvalidRequestError(f"the flags cannot be read: {wrong}") from wrong
        for key in sorted(keys) if flags is not None else ():
            if reason := refusal(key):
                raise InvalidRequestError(f"--{key} {reason}")
        change = change_of(recipe, turned, listed)
        changed = recipe.model_copy(update={"extra_args": change.extra_args})
        plan = plan_launch(changed, candidate.repo, self._launch)
        return replace(candidate, vllm_argv=plan.vllm_argv, launch_argv=plan.launch_argv)
