"""A parsed JSON document or a list of chat messages, walked leaf by leaf, keys too."""

from collections.abc import Callable
from typing import Any, Final

from spark_redaction.scrub.documents.composite import Composite
from spark_redaction.scrub.documents.slots import Naming, NumberSlot, Slot, text_slot
from spark_redaction.scrub.spans import Span

Fill = Callable[[list[list[Span]], Naming], Any]

_DEEPEST: Final = 64
_WIRE: Final = frozenset(
    {
        "role",
        "type",
        "id",
        "tool_call_id",
        "tool_use_id",
        "call_id",
        "finish_reason",
        "object",
        "model",
        "detail",
        "index",
    }
)
"""Fields of a message that are the protocol's, not anybody's words."""


class TooDeepError(ValueError):
    """Nested deeper than anybody writes."""


def placed(
    composite: Composite,
    value: Any,
    *,
    messages: bool = False,
    depth: int = 0,
    keyed: bool = False,
    of: str = "",
) -> Fill:
    """Add every leaf of a value to the composite; the result puts it together again.

    ``of``: the key of the list it is in.
    With ``messages`` the protocol's own fields are left as they are.
    """
    if depth > _DEEPEST:
        raise TooDeepError(f"nested deeper than {_DEEPEST}")
    if isinstance(value, str):
        return _of_slot(text_slot(composite, value, json=None, after_key=keyed, of=of))
    if isinstance(value, bool) or value is None:
        return lambda _found, _naming: value
    if isinstance(value, int | float):
        return _of_slot(
            NumberSlot(value, composite.add(repr(value), after_key=keyed, number=True, of=of))
        )
    if isinstance(value, list):
        items = [
            placed(composite, item, messages=messages, depth=depth + 1, of=of) for item in value
        ]
        return lambda found, naming: [item(found, naming) for item in items]
    return _of_mapping(composite, value, messages, depth)


def _of_slot(slot: Slot) -> Fill:
    return slot.filled


def _of_mapping(composite: Composite, value: dict[str, Any], messages: bool, depth: int) -> Fill:
    members: list[tuple[Fill, Fill]] = []
    for name, member in value.items():
        if messages and (name in _WIRE or member is None) and not isinstance(member, dict | list):
            members.append((_constant(name), _constant(member)))
            continue
        key = _constant(name) if messages else _of_slot(text_slot(composite, name, json=False))
        keyed = not messages and not isinstance(member, list)
        of = "" if messages or keyed else name
        members.append(
            (key, placed(composite, member, messages=messages, depth=depth + 1, keyed=keyed, of=of))
        )
    return lambda found, naming: {
        key(found, naming): member(found, naming) for key, member in members
    }


def _constant(value: Any) -> Fill:
    return lambda _found, _naming: value
