"""Settings and imports in words."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

_FROM = {"owner": "set by you", "environment": "environment", "default": "default"}


def render_settings(view: dict[str, Any]) -> str:
    """Return all settings, a line each under the heading of their group, then the warnings."""
    lines = []
    width = max((len(one["name"]) for one in view["settings"]), default=0)
    for group, members in groupby(view["settings"], key=lambda one: one["group"]):
        lines.append(f"{group}")
        for one in members:
            value, source = shown_value(one), _FROM.get(one["source"], one["source"])
            lines.append(f"  {one['name']:<{width}}  {value}  ({source})")
    lines += [f"warning: {warning}" for warning in view["warnings"]]
    return "\n".join(lines)


def render_setting(one: dict[str, Any]) -> str:
    """Return one setting with its help."""
    return "\n".join(_details(one))


def render_foreseen(foreseen: dict[str, Any]) -> str:
    """Return what an import would change, a line each."""
    lines = [_change_words(change) for change in foreseen["changes"]]
    return "\n".join(
        [
            *(["would change:", *lines] if lines else ["nothing would change"]),
            *(f"warning: {warning}" for warning in foreseen["warnings"]),
        ]
    )


def _change_words(change: dict[str, Any]) -> str:
    words = f"  {change['part'].replace('_', ' ')}: {change['name']} {change['how']}"
    if change["after"] is None:
        return words
    before = "not set" if change["before"] is None else change["before"]
    return f"{words}, {before} -> {change['after']}"


def render_imported(taken: dict[str, Any]) -> str:
    """Return what an import did."""
    counts = ("settings", "secrets", "schedules", "webhooks")
    lines = ["imported: " + ", ".join(f"{taken[name]} {name}" for name in counts)]
    if taken["overrides"]:
        lines.append("your recipes were replaced; the file that was there is kept beside them")
    return "\n".join([*lines, *(f"warning: {warning}" for warning in taken["warnings"])])


def shown_value(one: dict[str, Any]) -> str:
    """Return the value that holds, for a line of text."""
    if one["kind"] == "secret":
        return "set" if one["is_set"] else "not set"
    return _words(one["value"]) + (f" {one['unit']}" if one["unit"] and one["value"] else "")


def _details(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['name']}: {shown_value(one)}  ({_FROM.get(one['source'], one['source'])})"
    yield f"  {one['label']}. {one['help']}"
    if one["choices"]:
        yield f"  One of: {', '.join(one['choices'])}."
    if one["kind"] != "secret":
        yield f"  Default: {_words(one['default'])}."


def _words(value: Any) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(item) for item in value) or "none"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
