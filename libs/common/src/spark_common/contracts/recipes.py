"""Recipes as people edit them: forms, knobs, flags, previews, and templates of the launcher."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from spark_common.contracts.disk import ModelName
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

Element = Annotated[str, StringConstraints(max_length=16_384)]


class Knobs(Reply):
    """The five switches everybody understands. None: as the recipe has it, or vLLM's own."""

    max_model_len: Annotated[int, Field(ge=1, le=16_777_216)] | None = None
    """Tokens; ``--max-model-len``."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the memory, 0 to 1; ``--gpu-memory-utilization``."""
    fast_load: bool | None = None
    """``--load-format fastsafetensors``."""
    prefix_caching: bool | None = None
    """``--enable-prefix-caching``."""
    fp8_kv_cache: bool | None = None
    """``--kv-cache-dtype fp8``."""


class RecipeForm(Request):
    """A recipe as it is written in a form or in YAML; exactly one of repo and local_path.

    Limits and rules are the swapper's own: what is wrong is answered field by field.
    """

    key: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Made from the name of the repository when absent."""
    repo: Annotated[str, StringConstraints(max_length=200)] | None = None
    local_path: Annotated[str, StringConstraints(max_length=500)] | None = None
    """Absolute directory on the Sparks with the files of a fine-tuned model."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    mode: Literal["solo", "cluster"] = "solo"
    served_name: Annotated[str, StringConstraints(max_length=120)] | None = None
    image: Annotated[str, StringConstraints(max_length=255)] | None = None
    tensor_parallel: Annotated[int, Field(ge=1, le=64)] = 1
    pipeline_parallel: Annotated[int, Field(ge=1, le=64)] = 1
    data_parallel: Annotated[int, Field(ge=1, le=64)] = 1
    mods: list[Annotated[str, StringConstraints(max_length=200)]] = []
    env: dict[str, str] = {}
    args: list[Element] = []
    """What follows ``vllm serve REPO``, one element per argument."""
    capabilities: list[str] = ["chat"]
    context_length: Annotated[int, Field(ge=1)] | None = None
    size_bytes: Annotated[int, Field(ge=1)] | None = None


class MemoryHelp(Reply):
    """Live numbers beside the knobs, from the real memory of the Sparks. Sizes in bytes."""

    total_bytes: int
    """Of the smallest Spark it runs on."""
    measured: bool
    """False while no Spark told its memory: then it is what a Spark usually has."""
    utilization: float
    """Share that is used for the numbers."""
    allocated_bytes: int
    left_bytes: int
    weights_bytes: int | None = None
    """On each Spark."""
    cache_tokens: int | None = None
    """Tokens that fit beside the weights, estimated; absent where the files do not say."""
    pages: int | None = None
    """What the context holds as pages of text (650 tokens a page)."""
    sentences: list[str] = []
    """The same in words: "about 96 GB for the model, 15 GB for everything else on Spark 1"."""
    warnings: list[str] = []


class FieldProblem(Reply):
    """What is wrong with one field or flag."""

    field: str
    """``args``, ``knobs.max_model_len``, ``--max-num-seqs`` ..."""
    message: str
    """One plain sentence with what to do."""
    severity: Literal["error", "warning"] = "error"
    near: list[str] = []
    """Flags that are spelled alike."""


class Preview(Reply):
    """What a swap would run, and what speaks against it."""

    launch_argv: list[str] = []
    launch_cmd: str = ""
    """The same as one line that can be pasted into a shell on the head."""
    vllm_args: list[str] = []
    """What follows ``vllm serve``."""
    problems: list[FieldProblem] = []
    memory: MemoryHelp | None = None

    @property
    def ok(self) -> bool:
        """Whether it may be saved."""
        return not any(problem.severity == "error" for problem in self.problems)


class RecipeDetail(Reply):
    """A recipe with everything a form needs."""

    form: RecipeForm
    source: Literal["bundled", "override", "own"]
    """Override: a bundled entry with changes of the owner."""
    knobs: Knobs
    """As they are in force, read from the arguments."""
    bundled_knobs: Knobs | None = None
    """Of the bundled entry, to go back to; absent for own entries."""
    flags: list[Element] = []
    """Further flags of the owner, one ``--flag`` or ``--flag=value`` each."""
    preview: Preview
    longest_context: int | None = None
    """What the model was made for, in tokens."""


class GetRecipe(Request):
    """Ask for one recipe."""

    model: ModelName


class SaveRecipe(Request):
    """Add an entry of one's own, or replace it; a bundled key becomes an override."""

    recipe: RecipeForm
    replace: bool = False
    """Replace an own entry with the same key; without it that is a conflict."""
    requested_by: Text = "someone"


class RemoveRecipe(Request):
    """Remove an own entry. Files on disk stay."""

    model: ModelName
    requested_by: Text = "someone"


class SetKnobs(Request):
    """Set knobs and further flags of a recipe; they replace the recipe's, never repeat them."""

    model: ModelName
    knobs: Knobs = Knobs()
    flags: list[Element] = []
    """The whole list of further flags: what is not in it any more is gone."""
    reset: bool = False
    """Back to the recipe's own values; the rest is ignored."""
    requested_by: Text = "someone"


class PreviewRecipe(Request):
    """Ask what a recipe or a change would run, without saving anything."""

    recipe: RecipeForm | None = None
    model: ModelName | None = None
    """Instead of ``recipe``: an entry that exists, with these knobs and flags over it."""
    knobs: Knobs = Knobs()
    flags: list[Element] = []


class ListTemplates(Request):
    """Ask for the recipes in the launcher's checkout on a Spark."""

    refresh: bool = False


class Template(Reply):
    """A recipe of the launcher's checkout (``recipes/*.yaml``), read as a form."""

    name: str
    """File name without ``.yaml``."""
    title: str
    description: str = ""
    repo: str | None = None
    image: str | None = None
    mods: list[str] = []
    mode: Literal["solo", "cluster", "either"] = "either"
    known_as: str | None = None
    """Key of our recipe for the same repository."""
    form: RecipeForm | None = None
    """What importing would save; None when it cannot be read."""
    problem: str | None = None


class Templates(Reply):
    """All of them, and where they were read."""

    templates: list[Template] = []
    host: str | None = None
    directory: str | None = None
    problem: str | None = None


class ImportTemplate(Request):
    """Save a template as an own entry."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    key: Annotated[str, StringConstraints(max_length=80)] | None = None
    replace: bool = False
    requested_by: Text = "someone"


class ListFlags(Request):
    """Ask for the flags of vLLM that are known."""


class FlagHelp(Reply):
    """One flag of ``vllm serve``."""

    flag: str
    """``--max-num-seqs``"""
    kind: Literal["integer", "number", "text", "switch", "choice", "json"]
    choices: list[str] = []
    help: str = ""


class Flags(Reply):
    """What can be typed into the free list."""

    flags: list[FlagHelp] = []
    vllm_version: str | None = None
    """The version they were read from."""


GET_RECIPE = Rpc("rpc.swapper.recipes.get", GetRecipe, RecipeDetail)
SAVE_RECIPE = Rpc("rpc.swapper.recipes.save", SaveRecipe, RecipeDetail)
REMOVE_RECIPE = Rpc("rpc.swapper.recipes.remove", RemoveRecipe, RecipeDetail)
SET_KNOBS = Rpc("rpc.swapper.recipes.knobs", SetKnobs, RecipeDetail)
PREVIEW_RECIPE = Rpc("rpc.swapper.recipes.preview", PreviewRecipe, Preview)
LIST_TEMPLATES = Rpc("rpc.swapper.recipes.templates", ListTemplates, Templates)
IMPORT_TEMPLATE = Rpc("rpc.swapper.recipes.import", ImportTemplate, RecipeDetail)
LIST_FLAGS = Rpc("rpc.swapper.recipes.flags", ListFlags, Flags)
