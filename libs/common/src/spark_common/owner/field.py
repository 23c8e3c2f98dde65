"""One setting as the owner sees it, derived from the field of the group that a service reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import JsonValue, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from spark_common.contracts.owner_settings import SettingKind
from spark_common.settings.load import Settings, Shown, adapter_of, reason_of, variable_of

EMPTY_LIST = ","
"""How an empty list is written where a blank means "not set"."""

MAX_CHARACTERS = 4000
"""Of any value; the longest that makes sense is an address."""

_SEPARATORS = re.compile(r"[\s,]+")
_UNITS = {
    "seconds": "s",
    "minutes": "min",
    "hours": "h",
    "days": "d",
    "gb": "GB",
    "mb": "MB",
    "percent": "%",
}
_PLAIN: dict[type, SettingKind] = {
    bool: "flag",
    int: "integer",
    float: "number",
    str: "text",
    tuple: "list",
    SecretStr: "secret",
}


@dataclass(frozen=True)
class Field:
    """A setting: its name is that of the environment variable."""

    name: str
    attribute: str
    """Name of the field in its group of settings."""
    label: str
    help: str
    group: str
    kind: SettingKind
    default: JsonValue
    choices: tuple[str, ...]
    unit: str | None
    adapter: TypeAdapter[Any]
    """Checks a value: the very one with which the service reads it."""

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return self.kind == "secret"

    def text_of(self, value: JsonValue) -> str | None:
        """Return a value as it would be written into the environment; None for a blank.

        Raises ValueError with the rule that it breaks; the value is not repeated.
        """
        text = self._written(value)
        if not text:
            return None
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"must have at most {MAX_CHARACTERS} characters")
        if not text.isprintable():
            raise ValueError("must be one line of printable characters")
        self.read(text)
        return text

    def shown(self, text: str) -> JsonValue:
        """Return a valid text as people and forms see it: numbers as numbers, lists as lists."""
        if self.kind in ("flag", "integer", "number", "choice"):
            return cast(JsonValue, self.read(text))
        return list(self.read(text)) if self.kind == "list" else text

    def read(self, text: str) -> Any:
        """Return what a service gets; raises ValueError with the rule that ``text`` breaks."""
        try:
            return self.adapter.validate_python(text)
        except ValidationError as error:
            raise ValueError(reason_of(error)) from None

    def _written(self, value: JsonValue) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "true" if value else "false"
            case str():
                return value.strip()
            case int() | float():
                return repr(value)
            case list() if self.kind == "list":
                names = [item.strip() for item in value if isinstance(item, str)]
                if len(names) < len(value) or any(len(_SEPARATORS.split(n)) > 1 for n in names):
                    raise ValueError("must be a list of names, each without blanks and commas")
                return ",".join(names) or EMPTY_LIST
            case _:
                raise ValueError("must be one value, not a list or an object")


def fields_of(group: type[Settings], title: str) -> list[Field]:
    """Return the fields of a group in their order."""
    return [
        _field(name, declared, title)
        for name, declared in group.model_fields.items()
        if name != "warnings"
    ]


def _field(name: str, declared: FieldInfo, title: str) -> Field:
    marks = [*_marks(declared.annotation), *declared.metadata]
    shown = [mark for mark in marks if isinstance(mark, Shown)]
    plain = _plain_of(declared.annotation)
    stem, _, last = name.rpartition("_")
    unit = next((one.unit for one in shown if one.unit), _UNITS.get(last))
    derived = (stem if last in _UNITS else name).replace("_", " ")
    kind = next((cast(SettingKind, one.kind) for one in shown if one.kind), _kind_of(plain))
    default = None if kind == "secret" else to_jsonable_python(declared.default)
    return Field(
        name=variable_of(name, declared),
        attribute=name,
        label=next((one.label for one in shown if one.label), derived.capitalize()),
        help=" ".join((declared.description or "").split()),
        group=title,
        kind=kind,
        default=default,
        choices=tuple(str(one) for one in get_args(plain)) if kind == "choice" else (),
        unit=unit,
        adapter=adapter_of(declared),
    )


def _marks(annotation: Any) -> Iterator[Any]:
    """Yield what is written beside a type, however deep: ``Address | None`` has an address."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from _marks(inner)
        yield from marks
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _marks(one)


def _plain_of(annotation: Any) -> Any:
    """Return the type itself, without marks and without None."""
    if get_origin(annotation) is Annotated:
        return _plain_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        plain = [one for one in map(_plain_of, get_args(annotation)) if one is not type(None)]
        return plain[0] if len(plain) == 1 else plain
    return annotation


def _kind_of(plain: Any) -> SettingKind:
    if get_origin(plain) is Literal:
        return "choice"
    kind = _PLAIN.get(get_origin(plain) or plain)
    if kind is None:
        raise TypeError(f"an owner cannot edit a {plain!r}")
    return kind
