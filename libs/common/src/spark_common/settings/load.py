"""How settings come out of the environment: required or default, never half right."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NoReturn, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from spark_common.settings.secret_files import with_secret_files

_EXIT_CODE = 2
"""What a shell means by "used wrongly"; a supervisor need not try again."""


_RULES = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number with an end",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "string_too_long": "must have at most {max_length} characters",
}
"""The rules of numbers, flags and choices in plain words, by pydantic's names for them."""


class SettingsError(Exception):
    """A required variable is missing or wrong; the message is one line that names it."""


@dataclass(frozen=True)
class Env:
    """Name of the variable of a field, where it is not the field's name in capitals."""

    name: str


@dataclass(frozen=True)
class Environment:
    """The variables, the defaults of the service, and the warnings gathered while reading."""

    variables: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)
    prefix: str = ""

    def raw(self, name: str) -> str | None:
        """Return the stripped value, or None when it is not set."""
        value = self.variables.get(name)
        return None if value is None else value.strip()

    def below(self, prefix: str) -> Self:
        """Return a view whose names all begin with ``prefix``; warnings are gathered together."""
        return replace(self, prefix=prefix)


@dataclass(frozen=True)
class Shown:
    """How a field is shown to the owner, where its name and type do not say it well enough."""

    label: str | None = None
    unit: str | None = None
    kind: str | None = None


class Settings(BaseModel):
    """A frozen group of settings.

    A field ``drain_seconds`` is read from ``DRAIN_SECONDS``, or from the name given by ``Env``;
    a field whose type is another ``Settings`` is a group and is read the same way. A field
    without a default is required. The text under a field says what it means, also to the owner.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True
    )

    defaults: ClassVar[Mapping[str, str]] = {}
    """Values of this service for variables of its groups, such as its ``BIND_PORT``."""

    warnings: tuple[str, ...] = ()
    """What was blank or malformed and fell back to its default; one sentence each."""

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Read every field; raises SettingsError for the first required one that is unusable."""
        return cls(**read_fields(cls, environment))


SettingsT = TypeVar("SettingsT", bound=Settings)


def load(settings_type: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """Read ``settings_type`` from variables; the result holds all warnings of its groups.

    Raises SettingsError, whose text is one line that names the variable.
    """
    variables, problems = with_secret_files(environ)
    environment = Environment({**settings_type.defaults, **variables}, problems)
    settings = settings_type.read(environment)
    return settings.model_copy(update={"warnings": tuple(environment.warnings)})


def load_or_exit(settings_type: type[SettingsT]) -> SettingsT:
    """Read the process' own environment; end the process with code 2 when it is unusable."""
    try:
        return load(settings_type, os.environ)
    except SettingsError as error:
        exit_with(error)


def exit_with(error: SettingsError) -> NoReturn:
    """Print the one line and leave: a stack trace would only hide it."""
    sys.stderr.write(f"{error}\n")
    sys.exit(_EXIT_CODE)


def read_fields(
    settings_type: type[Settings], environment: Environment, leave_out: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the values of the fields that are set, by field name."""
    values: dict[str, Any] = {}
    for name, declared in settings_type.model_fields.items():
        if name == "warnings" or name in leave_out:
            continue
        annotation = declared.annotation
        if isinstance(annotation, type) and issubclass(annotation, Settings):
            values[name] = annotation.read(environment)
        else:
            values |= _read_field(name, declared, environment)
    return values


def _read_field(name: str, declared: FieldInfo, environment: Environment) -> dict[str, Any]:
    variable = environment.prefix + variable_of(name, declared)
    raw = environment.raw(variable)
    required = declared.is_required()
    if not raw:
        if required:
            raise SettingsError(
                f"{variable} is not set: {declared.description or 'it is required'}"
            )
        if raw is not None:
            environment.warnings.append(f"{variable} is blank; the default is used")
        return {}
    try:
        return {name: adapter_of(declared).validate_python(raw)}
    except ValidationError as error:
        reason = reason_of(error)
        if required:
            raise SettingsError(f"{variable} is wrong: {reason}") from None
        environment.warnings.append(f"{variable} is wrong ({reason}); the default is used")
        return {}


def variable_of(name: str, declared: FieldInfo) -> str:
    """Return the name of a field's variable, without the prefix of its group."""
    return next((mark.name for mark in declared.metadata if isinstance(mark, Env)), name.upper())


def adapter_of(declared: FieldInfo) -> TypeAdapter[Any]:
    """Return what checks the value of a field, alone: the same for every source of values."""
    return TypeAdapter(declared.rebuild_annotation())


def reason_of(error: ValidationError) -> str:
    """Return the rule that was broken; the rejected value may be a secret and is not repeated."""
    first = error.errors(include_input=False)[0]
    words = _RULES.get(first["type"])
    if words is not None:
        return words.format(**first.get("ctx", {}))
    return str(first["msg"]).removeprefix("Value error, ")
