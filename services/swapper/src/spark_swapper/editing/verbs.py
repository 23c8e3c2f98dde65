"""The verbs about recipes: each translates, asks, and translates back."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.recipes import (
    GET_RECIPE,
    IMPORT_TEMPLATE,
    LIST_FLAGS,
    LIST_TEMPLATES,
    PREVIEW_RECIPE,
    REMOVE_RECIPE,
    SAVE_RECIPE,
    SET_KNOBS,
    Flags,
    GetRecipe,
    ListFlags,
    ListTemplates,
    RecipeDetail,
    Templates,
)
from spark_swapper.editing.editing import Editing
from spark_swapper.editing.flag_table import flag_table
from spark_swapper.templates import Templating


class RecipeVerbs:
    """Answers questions about recipes, and changes them."""

    def __init__(self, editing: Editing, templating: Templating) -> None:
        self._editing = editing
        self._templating = templating

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_RECIPE, self.get),
            Serving(SAVE_RECIPE, self._editing.save),
            Serving(REMOVE_RECIPE, self._editing.remove),
            Serving(SET_KNOBS, self._editing.set_knobs),
            Serving(PREVIEW_RECIPE, self._editing.preview, limit=4),
            Serving(LIST_TEMPLATES, self.list_templates, limit=2),
            Serving(IMPORT_TEMPLATE, self._editing.import_template),
            Serving(LIST_FLAGS, self.list_flags),
        )

    async def get(self, request: GetRecipe) -> RecipeDetail:
        """Return one recipe with everything a form needs."""
        return await self._editing.get(request.model)

    async def list_templates(self, request: ListTemplates) -> Templates:
        """Return the recipes of the launcher's checkout."""
        return await self._templating.list(request.refresh)

    async def list_flags(self, request: ListFlags) -> Flags:
        """Return the flags of vLLM that are known."""
        return flag_table().view()
