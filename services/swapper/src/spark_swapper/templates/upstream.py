"""One recipe file of spark-vllm-docker, read as a form. Pure; nothing of it is ever run."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spark_common.contracts.recipes import RecipeForm, Template
from spark_swapper.editing.forms import errors_of, read_form
from spark_swapper.launching.flags import Flag, compact, human_number, is_pooling, merge_flags
from spark_swapper.recipes import RecipeBook
from spark_swapper.recipes.book import reason_of
from spark_swapper.recipes.keys import slug
from spark_swapper.recipes.local_path import is_path
from spark_swapper.recipes.reserved import DECIDED, DIVIDED
from spark_swapper.templates.strict_format import TemplateError, fill

_CONTINUED = re.compile(r"\\\r?\n[ \t]*")
_OPERATOR = re.compile(r"[;|&<>()]+\Z")
_MAX_DESCRIPTION = 500


class _File(BaseModel):
    """The fields of a recipe file; more of them come from forks and newer launchers."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    name: str = Field(min_length=1)
    container: str
    command: str
    recipe_version: str = "1"
    description: str | None = None
    model: str | None = None
    mods: list[str] | None = None
    defaults: dict[str, str | bool | None] | None = None
    env: dict[str, str | bool] | None = None
    cluster_only: bool = False
    solo_only: bool = False


@dataclass(frozen=True)
class Place:
    """What a template is read for: our cluster and our recipes."""

    port: int
    image: str
    sparks: int
    book: RecipeBook


def read_template(name: str, text: str, place: Place) -> Template:
    """Return a file as a template; what is wrong with it is its ``problem``, never an error."""
    try:
        file = _parsed(text)
    except TemplateError as wrong:
        return Template(name=name, title=name, problem=str(wrong))
    mode: Literal["solo", "cluster", "either"] = (
        "cluster" if file.cluster_only else "solo" if file.solo_only else "either"
    )
    template = Template(
        name=name,
        title=_line(file.name, 80) or name,
        description=_line(file.description or "", _MAX_DESCRIPTION),
        repo=_line(file.model, 200) if file.model else None,
        image=_line(file.container, 255),
        mods=[_line(mod, 200) for mod in file.mods or []],
        mode=mode,
    )
    try:
        form = _form(name, file, place)
    except (TemplateError, ValidationError) as wrong:
        said = reason_of(wrong) if isinstance(wrong, ValidationError) else str(wrong)
        return template.model_copy(update={"problem": said})
    known = place.book.for_repo(form.repo or form.local_path or "")
    update: dict[str, Any] = {
        "repo": form.repo or form.local_path,
        "known_as": known.key if known else None,
    }
    recipe, problems = read_form(form, form.key or "model", believed=True)
    if errors := errors_of(problems):
        update["problem"] = f"{errors[0].field}: {errors[0].message}"
    # A wrong value of one flag stays to be looked at; no recipe at all is no form.
    return template.model_copy(update={**update, "form": form if recipe else None})


def _parsed(text: str) -> _File:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise TemplateError(f"it is not valid YAML{place}") from wrong
    except (ValueError, RecursionError) as wrong:
        raise TemplateError("it is not valid YAML") from wrong
    if not isinstance(document, Mapping):
        raise TemplateError("it is not a mapping of fields")
    try:
        file = _File.model_validate({str(key): value for key, value in document.items()})
    except (ValidationError, RecursionError) as wrong:
        said = reason_of(wrong) if isinstance(wrong, ValidationError) else "nested too deeply"
        raise TemplateError(said) from wrong
    if file.cluster_only and file.solo_only:
        raise TemplateError("it is both cluster_only and solo_only")
    return file


def _form(name: str, file: _File, place: Place) -> RecipeForm:
    parallel = "2" if file.cluster_only else "1"
    values = {"port": str(place.port), "host": "0.0.0.0", "tensor_parallel": parallel}  # noqa: S104
    for key, default in (file.defaults or {}).items():
        values[key] = "" if default is None else str(default)
    values["port"] = str(place.port)
    model, arguments = _arguments(fill(file.command, values), file.model)
    flags = {flag.key: flag for flag in merge_flags(arguments)}
    divided = {field: _count(flags.get(key)) for key, field in DIVIDED.items()}
    nodes = divided["tensor_parallel"] * divided["pipeline_parallel"] * divided["data_parallel"]
    alone = file.solo_only or nodes == 1 or (not file.cluster_only and place.sparks < nodes)
    if file.cluster_only and nodes == 1:
        raise TemplateError("it is for several Sparks, and its command names no number of them")
    kept = [flag for key, flag in flags.items() if key not in DECIDED]
    served = flags.get("served-model-name")
    return RecipeForm(
        key=slug(name),
        repo=None if is_path(model) else model,
        local_path=model if is_path(model) else None,
        name=_line(file.name, 80) or name,
        mode="solo" if alone else "cluster",
        served_name=served.values[0] if served and served.values else None,
        image=None if file.container == place.image else file.container,
        **({} if alone else divided),
        mods=list(file.mods or []),
        env={key: _env(value) for key, value in (file.env or {}).items()},
        args=list(compact(kept)),
        capabilities=_capabilities(flags),
        context_length=_context(flags.get("max-model-len")),
    )


def _arguments(command: str, model: str | None) -> tuple[str, list[str]]:
    """Return the model and the flags of the one ``vllm serve`` in a command."""
    line = _CONTINUED.sub(" ", command).strip()
    if "\n" in line:
        raise TemplateError("its command has several lines; only one vllm serve can be read")
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>()")
        lexer.whitespace_split = True
        lexer.commenters = ""
        separate = list(lexer)
        words = shlex.split(line)
    except ValueError as wrong:
        raise TemplateError(f"its command has an open quotation ({wrong})") from wrong
    if separate != words or any(_OPERATOR.match(word) for word in words):
        raise TemplateError("its command is more than one program; only vllm serve can be read")
    if any("$" in word or "`" in word for word in words):
        raise TemplateError("its command has parts that only a shell can fill in ($ or `)")
    if words[:2] != ["vllm", "serve"]:
        raise TemplateError("its command does not begin with vllm serve")
    rest = words[2:]
    if rest and not rest[0].startswith("-"):
        model, rest = rest[0], rest[1:]
    if not model:
        raise TemplateError("it names no model")
    try:
        merge_flags(rest)
    except ValueError as wrong:
        raise TemplateError(f"its command cannot be read: {wrong}") from wrong
    return model, rest


def _count(flag: Flag | None) -> int:
    number = human_number(flag.values[0]) if flag is not None and flag.values else 1
    if number is None or not 1 <= number <= 64:
        raise TemplateError("its command names a number of Sparks that cannot be")
    return number


def _context(flag: Flag | None) -> int | None:
    return human_number(flag.values[0]) or None if flag is not None and flag.values else None


def _capabilities(flags: Mapping[str, Flag]) -> list[str]:
    if is_pooling(tuple(flags.values())):
        return []
    found = ["chat"]
    if "enable-auto-tool-choice" in flags:
        found.append("tools")
    if "reasoning-parser" in flags:
        found.append("reasoning")
    return found


def _env(value: str | bool) -> str:
    return str(int(value)) if isinstance(value, bool) else value


def _line(text: str, most: int) -> str:
    """Return text of others as one printable line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:most]
