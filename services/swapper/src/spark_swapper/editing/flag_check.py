"""Whether a list of flags can be saved: known, typed, once, and nobody else's. Pure."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from spark_common.contracts.recipes import FieldProblem
from spark_swapper.editing.flag_table import FlagSpec, FlagTable, flag_table
from spark_swapper.launching.flags import Flag, grouped, human_number
from spark_swapper.recipes.reserved import refusal

MAX_FLAGS = 200
MAX_PROBLEMS = 50
"""Nobody reads more, and looking for what is spelled alike takes time."""
_SHOWN_NAME = 80
_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"-?(?:\d{1,18}\.?\d{0,18}|\.\d{1,18})(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_SHOWN_CHOICES = 12


@dataclass(frozen=True)
class Context:
    """What the verdict on a flag depends on beside the flag."""

    own_image: bool = False
    """The recipe has an image of its own: forks have flags that nobody here knows."""
    repo: bool = True
    """False for a local model."""
    mods: bool = False
    """Whether mods put files into the container."""
    accepted: frozenset[str] = frozenset()
    """Keys of flags that the recipe has already: that they are not known here is no error."""


def check_flags(
    arguments: Sequence[str], context: Context, field: str = "flags", table: FlagTable | None = None
) -> list[FieldProblem]:
    """Return everything that is wrong with a list of arguments; never raises."""
    if len(arguments) > MAX_FLAGS:
        return [FieldProblem(field=field, message=f"has more than {MAX_FLAGS} arguments")]
    try:
        flags = grouped(arguments)
    except ValueError as wrong:
        message = f"{wrong}; write each flag as --flag or --flag=value"
        return [FieldProblem(field=field, message=message)]
    known = table or flag_table()
    found = (one for flag in flags for one in _problems(flag, context, known))
    problems = list(islice(found, MAX_PROBLEMS))
    for key, times in Counter(flag.key for flag in flags).items():
        if times > 1:
            message = f"is given {times} times; the last one counts"
            name = f"--{key[:_SHOWN_NAME]}"
            problems.append(FieldProblem(field=name, message=message, severity="warning"))
    return problems


def _problems(flag: Flag, context: Context, table: FlagTable) -> Iterator[FieldProblem]:
    name = f"--{flag.key[:_SHOWN_NAME]}"
    if reason := refusal(flag.key):
        yield FieldProblem(field=name, message=reason)
        return
    spec = table.spec(flag.key)
    if spec is None:
        yield _unknown(name, flag, context, table)
        return
    if "." in flag.key:
        if len(flag.values) != 1:
            yield FieldProblem(field=name, message="needs one value")
        return
    if spec.kind != "switch" and flag.spelled.lstrip("-").replace("_", "-").startswith("no-"):
        yield FieldProblem(field=name, message=f"cannot be switched off: {name} takes a value")
        return
    if reason := _wrong_number_of_values(flag, spec):
        yield FieldProblem(field=name, message=reason)
        return
    for value in flag.values:
        if reason := _wrong(value, spec):
            yield FieldProblem(field=name, message=reason)
        elif spec.kind == "choice" and value not in spec.choices:
            yield _not_a_choice(name, value, spec, context)
    if flag.key == "chat-template" and context.repo:
        yield from _template(flag.values[0], context)


def _unknown(name: str, flag: Flag, context: Context, table: FlagTable) -> FieldProblem:
    near = table.near(flag.key)
    hint = f"; did you mean {near[0]}?" if near else ""
    if context.own_image or flag.key in context.accepted:
        message = (
            f"is not known here as a flag of vLLM {table.vllm_version}; Test will tell whether "
            f"its image knows it{hint}"
        )
        return FieldProblem(field=name, message=message, severity="warning", near=near)
    message = f"is not a flag of vLLM {table.vllm_version}{hint}"
    return FieldProblem(field=name, message=message, near=near)


def _wrong_number_of_values(flag: Flag, spec: FlagSpec) -> str | None:
    count = len(flag.values)
    if spec.kind == "switch":
        if count:
            return f"takes no value; write --no-{flag.key} to switch it off"
        return None
    if count == 0:
        return "needs a value"
    if count > 1 and not spec.many:
        return f"takes one value and has {count}"
    return None


def _wrong(value: str, spec: FlagSpec) -> str | None:
    """Return why a value cannot be read as the flag's kind."""
    if spec.kind == "json":
        return _wrong_json(value)
    if spec.kind not in {"integer", "number"} or value in spec.words:
        return None
    if spec.kind == "integer":
        number: float | None = int(value) if _INTEGER.match(value) else None
        if number is None and spec.suffix:
            number = human_number(value)
        if number is None:
            also = ", such as 8192, 8k or 8K" if spec.suffix else ""
            words = f", or {' or '.join(spec.words)}" if spec.words else ""
            return f"needs a whole number{also}{words}"
    else:
        number = float(value) if _NUMBER.match(value) else None
        if number is None or not math.isfinite(number):
            return "needs a number"
    if spec.min is not None and (number < spec.min or (spec.max == 1 and number == 0)):
        return (
            f"must be more than {spec.min:g}" if spec.max == 1 else f"must be {spec.min:g} or more"
        )
    if spec.max is not None and number > spec.max:
        return f"must be {spec.max:g} or less"
    return None


def _wrong_json(value: str) -> str | None:
    try:
        json.loads(value)
    except json.JSONDecodeError as wrong:
        return f"is not valid JSON, from character {wrong.pos + 1} on"
    except (ValueError, RecursionError):
        return "is not valid JSON"
    return None


def _not_a_choice(name: str, value: str, spec: FlagSpec, context: Context) -> FieldProblem:
    near = FlagTable(dict.fromkeys(spec.choices, spec), "").near(value)
    near = [one.removeprefix("--") for one in near]
    shown = ", ".join(spec.choices[:_SHOWN_CHOICES])
    more = " ..." if len(spec.choices) > _SHOWN_CHOICES else ""
    hint = f"; did you mean {near[0]}?" if near else f": one of {shown}{more}"
    if spec.open or context.own_image:
        message = f"has a value that is not known here; Test will tell{hint}"
        return FieldProblem(field=name, message=message, severity="warning", near=near)
    return FieldProblem(field=name, message=f"has a value that vLLM does not take{hint}", near=near)


def _template(value: str, context: Context) -> Iterator[FieldProblem]:
    """Say where the template of a repository's model can come from."""
    if "{" in value or value.startswith("/"):
        if value.startswith("/"):
            message = "must be there inside the container; Test will tell"
            yield FieldProblem(field="--chat-template", message=message, severity="warning")
        return
    if not context.mods:
        message = (
            "names a file, and no mod of the recipe puts one into the container: add the mod, or "
            "leave the flag out to use the model's own template"
        )
        yield FieldProblem(field="--chat-template", message=message)
