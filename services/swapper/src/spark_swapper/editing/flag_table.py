"""The options of ``vllm serve`` as they are written in ``vllm_flags.yaml``."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from spark_common.contracts.recipes import FlagHelp, Flags

Kind = Literal["integer", "number", "text", "switch", "choice", "json"]
_NEAR = 3
_CUTOFF = 0.6


class FlagSpec(BaseModel):
    """What one option takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    short: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    open: bool = False
    """Plugins and other images know more choices."""
    suffix: bool = False
    """``8k`` and ``8K`` are taken."""
    words: tuple[str, ...] = ()
    """Taken beside a number."""
    min: float | None = None
    max: float | None = None
    many: bool = False
    help: str


@dataclass(frozen=True)
class FlagTable:
    """All known options by their long name without dashes."""

    specs: Mapping[str, FlagSpec]
    vllm_version: str

    def spec(self, key: str) -> FlagSpec | None:
        """Return the option of a flag's key; ``--json-flag.part`` belongs to ``--json-flag``."""
        found = self.specs.get(key)
        if found is None and "." in key:
            found = self.specs.get(key.partition(".")[0])
            return found if found is not None and found.kind == "json" else None
        return found

    def near(self, key: str) -> list[str]:
        """Return options that are spelled alike, as they are written, best first."""
        begun = [name for name in self.specs if name.startswith(key)] if len(key) > 2 else []
        close = difflib.get_close_matches(key, self.specs, n=_NEAR, cutoff=_CUTOFF)
        return [f"--{name}" for name in dict.fromkeys([*close, *begun])][:_NEAR]

    def view(self) -> Flags:
        """Return the table for people."""
        return Flags(
            flags=[
                FlagHelp(
                    flag=f"--{name}", kind=spec.kind, choices=list(spec.choices), help=spec.help
                )
                for name, spec in sorted(self.specs.items())
            ],
            vllm_version=self.vllm_version,
        )


@cache
def flag_table() -> FlagTable:
    """Return the table that comes with the service."""
    text = resources.files("spark_swapper").joinpath("vllm_flags.yaml").read_text("utf-8")
    document = yaml.safe_load(text)
    specs = {name: FlagSpec.model_validate(row) for name, row in document["flags"].items()}
    return FlagTable(specs, document["vllm_version"])
