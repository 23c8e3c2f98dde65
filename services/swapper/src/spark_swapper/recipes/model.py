"""One recipe, validated: what is launched, where, and with which arguments. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from spark_swapper.launching.flags import Flag, check_element, human_number, merge_flags
from spark_swapper.recipes.keys import KEY_PATTERN
from spark_swapper.recipes.local_path import check_local_path, lies_inside
from spark_swapper.recipes.reserved import DIVIDED, REFUSED, SECRET_FLAGS, refusal

MAX_NODES = 64
MAX_ARGUMENTS = 100_000
"""Characters of all arguments together; a command line on the Spark has to carry them twice."""


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
_Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
_Repo = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$"),
    StringConstraints(max_length=200),
]
_LocalPath = Annotated[str, AfterValidator(check_local_path)]
_ServedName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}$")]
_Image = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$")]
_Mod = Annotated[
    str, StringConstraints(pattern=r"^mods/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)
]
_Parallel = Annotated[int, Field(ge=1, le=MAX_NODES)]
Capability = Literal["chat", "vision", "tools", "reasoning", "embeddings", "rerank"]


class Recipe(BaseModel):
    """How to launch one model. An unknown field is a typo and makes the entry invalid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: _Key
    repo: _Repo | None = None
    """``owner/name`` on the hub; exactly one of this and ``local_path``."""
    local_path: _LocalPath | None = None
    """Directory on the Sparks with a local or fine-tuned model."""
    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=80, strip_whitespace=True),
        AfterValidator(check_element),
    ]
    mode: Literal["solo", "cluster"] = "solo"
    served_name: _ServedName | None = None
    """What clients of ``/v1`` name; the key unless given."""
    image: _Image | None = None
    """Image of the runtime; the cluster's own unless given."""
    tensor_parallel: _Parallel = 1
    """Among how many Sparks every layer is divided."""
    pipeline_parallel: _Parallel = 1
    """Among how many groups of Sparks the layers are divided."""
    data_parallel: _Parallel = 1
    """How many copies of the whole run."""
    mods: Annotated[tuple[_Mod, ...], Field(max_length=50)] = ()
    """Patches of the launcher's checkout that are applied to the container first."""
    env: Annotated[Mapping[_EnvName, _EnvValue], Field(max_length=200)] = {}
    """Environment of the runtime inside the container."""
    args: tuple[_Element, ...] = ()
    """What follows ``vllm serve REPO``, one element per argument."""
    extra_args: tuple[_Element, ...] = ()
    """More of them, for overrides: they replace the same flag of ``args``."""
    capabilities: Annotated[tuple[Capability, ...], Field(max_length=20)] = ("chat",)
    context_length: Annotated[int, Field(ge=1)] | None = None
    """Tokens, as launched, where no argument says it."""
    size_bytes: Annotated[int, Field(ge=1)] | None = None
    """Expected size of the weights."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.repo is not None and self.local_path is not None:
            raise ValueError("has both repo and local_path: leave one out")
        if self.repo is None and self.local_path is None:
            raise ValueError("needs repo or local_path")
        if sum(map(len, (*self.args, *self.extra_args))) > MAX_ARGUMENTS:
            raise ValueError(f"its arguments are longer than {MAX_ARGUMENTS} characters together")
        flags = {flag.key: flag for flag in self.flags}
        if secrets := sorted(flags.keys() & SECRET_FLAGS):
            raise ValueError(f"--{secrets[0]} would be readable by everybody on the Spark")
        if "model" in flags:
            raise ValueError("--model is decided by repo or local_path")
        for key in flags.keys() - REFUSED.keys():
            if reason := refusal(key):
                raise ValueError(f"--{key} {reason}")
        self._check_nodes()
        for key, field in DIVIDED.items():
            said, meant = flags.get(key), getattr(self, field)
            if said is not None and said.values != (str(meant),):
                raise ValueError(
                    f"--{key} contradicts {field}, which is {meant}: say it in {field} only"
                )
        if self.local_path is not None and (template := flags.get("chat-template")):
            file = template.values[0] if template.values else ""
            if not lies_inside(file, self.local_path):
                raise ValueError(f"--chat-template must be a file inside {self.local_path}")
        return self

    def _check_nodes(self) -> None:
        product = self.tensor_parallel * self.pipeline_parallel * self.data_parallel
        if self.mode == "solo" and product != 1:
            raise ValueError(
                "mode solo runs on one Spark: leave tensor_parallel out, and pipeline_parallel "
                "and data_parallel"
            )
        if self.mode == "cluster" and product == 1:
            raise ValueError(
                "mode cluster needs tensor_parallel of 2 or more, or pipeline_parallel or "
                "data_parallel"
            )
        if product > MAX_NODES:
            raise ValueError(f"needs {product} Sparks, and {MAX_NODES} is the most")

    @property
    def target(self) -> str:
        """What ``vllm serve`` is given: the repository, or the directory of a local model."""
        return self.repo or self.local_path or ""

    @property
    def nodes(self) -> int:
        """Number of Sparks it runs on."""
        if self.mode == "solo":
            return 1
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel

    @property
    def flags(self) -> tuple[Flag, ...]:
        """All arguments as flags, each once: of ``args``, replaced by ``extra_args``."""
        return merge_flags([*self.args, *self.extra_args])

    @property
    def context(self) -> int | None:
        """Tokens it is launched with, as far as the recipe says."""
        for flag in self.flags:
            if flag.key == "max-model-len" and flag.values:
                return human_number(flag.values[0]) or self.context_length
        return self.context_length

    @property
    def serves_as(self) -> str:
        """What clients of ``/v1`` name."""
        if self.served_name is not None:
            return self.served_name
        for flag in self.flags:
            if flag.key == "served-model-name" and flag.values:
                return flag.values[0]
        return self.key
