"""Markup in every free text of what the gateway says, whoever wrote it."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from types import NoneType
from typing import Any, Final, get_args

from playwright.sync_api import Page
from pydantic import BaseModel

from spark_common.testing.wait import PATIENCE_SECONDS

_LINKS: Final = frozenset({"id", "key", "name", "host", "target", "service", "served_name", "mark",
                           "schedule_id", "other_id", "loaded", "model", "ticket",
                           "timezone", "cron"})  # fmt: skip
"""What parts of the page find each other by."""


def marked(where: str) -> str:
    """Return what would run a script if it became markup, with the field it stands in."""
    return f'<img src=x onerror="window.ran=1"><script>window.ran=1</script>{where}'


def planted(value: Any, fields: set[str], kept: frozenset[str] = _LINKS) -> Any:
    """Return a copy with markup in every free text, but for the names ``kept``.

    The fields are added to ``fields``, each as ``Model.field``.
    """
    if isinstance(value, list):
        return [planted(each, fields, kept) for each in value]
    if not isinstance(value, BaseModel):
        return value
    changes: dict[str, Any] = {}
    for name, field in type(value).model_fields.items():
        old = getattr(value, name)
        where = f"{type(value).__name__}.{name}"
        if old and name not in kept and _kinds(field.annotation) in ({str}, {list[str]}):
            fields.add(where)
            changes[name] = marked(where) if isinstance(old, str) else [marked(where)]
        else:
            changes[name] = planted(old, fields, kept)
    return value.model_copy(update=changes)


def _kinds(annotation: Any) -> set[Any]:
    if annotation is str or annotation == list[str]:
        return {annotation}
    return set(get_args(annotation)) - {NoneType}


def unseen(
    page: Page,
    fields: set[str],
    places: list[Callable[[], None]],
    not_shown: AbstractSet[str] = frozenset(),
) -> set[str]:
    """Return the planted fields that no place shows as text; none may be more than that.

    Parts of a page come late: the places are gone to again until only ``not_shown`` is left.
    """
    left = set(fields)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        for go in places:
            go()
            assert page.evaluate("window.ran") is None
            assert page.locator("img, [onerror], body script:not([src])").count() == 0
            text = page.locator("body").text_content() or ""
            left -= {where for where in left if f"</script>{where}" in text}
        if left <= not_shown or time.monotonic() > until:
            return left
