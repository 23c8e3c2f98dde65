"""Fills the placeholders of a recipe's command as ``str.format`` would, and nothing more. Pure."""

import re
import string
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}\Z")
MAX_RESULT = 64 * 1024


class TemplateError(ValueError):
    """The text cannot be filled in; the message says why."""


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace every ``{name}``; doubled braces become single ones. Raises TemplateError.

    Unlike ``str.format`` it takes plain names only: an attribute, an index, a conversion or a
    format could reach into Python's objects or grow without bound.
    """
    found: list[str] = []
    size = 0
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as wrong:
        raise TemplateError(f"its command has a brace too many or too few ({wrong})") from wrong
    for literal, name, spec, conversion in pieces:
        value = ""
        if name is not None:
            if not _NAME.match(name) or spec or conversion:
                raise TemplateError("its command has a placeholder that is not a plain name")
            if name not in values:
                raise TemplateError(f"its command needs a parameter {name!r} that has no default")
            value = values[name]
        size += len(literal) + len(value)
        if size > MAX_RESULT:
            raise TemplateError("its command is too long")
        found += [literal, value]
    return "".join(found)
