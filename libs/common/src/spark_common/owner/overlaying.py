"""The owner's values over a group of settings as the environment gave it. Pure."""

from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from pydantic import ValidationError

from spark_common.owner.field import Field, fields_of
from spark_common.settings.load import Settings, reason_of

GroupOfSettings = TypeVar("GroupOfSettings", bound=Settings)


def overlaid(
    base: GroupOfSettings, texts: Mapping[str, str]
) -> tuple[GroupOfSettings, tuple[str, ...]]:
    """Return the group with what the owner set, and a sentence for each value that is no good.

    Such a value may be of an older version of the product; what ``base`` has holds in its place.
    """
    update: dict[str, object] = {}
    warnings: list[str] = []
    for field in _fields(type(base)):
        text = texts.get(field.name)
        if text is None:
            continue
        try:
            update[field.attribute] = field.read(text)
        except ValueError as why:
            warnings.append(unusable(field.name, str(why)))
    if not update:
        return base, tuple(warnings)
    try:
        return type(base).model_validate({**dict(base), **update}), tuple(warnings)
    except ValidationError as error:
        names = ", ".join(field.name for field in _fields(type(base)) if field.name in texts)
        return base, (*warnings, unusable(names, reason_of(error)))


def unusable(name: str, rule: str) -> str:
    """Return the sentence that tells of a value of the owner that cannot be used."""
    return f"{name}: the value set under the gear is not valid ({rule}); it is left out"


@cache
def _fields(group: type[Settings]) -> tuple[Field, ...]:
    return tuple(fields_of(group, ""))
