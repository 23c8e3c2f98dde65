"""Filters over payloads: must, should, must_not, and the conditions inside."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spark_sim.qdrant.errors import bad_format

Payload = Mapping[str, Any]
Admits = Callable[[object, Payload], bool]
"""Says of an id and a payload whether the point is let through."""
_CLAUSES = ("should", "min_should", "must", "must_not")


def read_filter(given: object) -> Admits:
    """Return what a filter lets through. Raises QdrantError for one that is none."""
    if given is None:
        return lambda point_id, payload: True
    if not isinstance(given, dict):
        raise bad_format("invalid type, expected struct Filter")
    for name in given:
        if name not in _CLAUSES:
            expected = ", ".join(f"`{one}`" for one in _CLAUSES)
            raise bad_format(f"unknown field `{name}`, expected one of {expected}")
    must, should, never = (_clause(given.get(name)) for name in ("must", "should", "must_not"))

    def admits(point_id: object, payload: Payload) -> bool:
        return (
            all(one(point_id, payload) for one in must)
            and not any(one(point_id, payload) for one in never)
            and (not should or any(one(point_id, payload) for one in should))
        )

    return admits


def both(first: Admits, second: Admits) -> Admits:
    """Return what two filters let through."""
    return lambda point_id, payload: first(point_id, payload) and second(point_id, payload)


def _clause(given: object) -> list[Admits]:
    if given is None:
        return []
    return [_condition(one) for one in (given if isinstance(given, list) else [given])]


def _condition(given: object) -> Admits:
    match given:
        case {"key": str(key), "match": dict(match)}:
            matches = _match(match)
            return lambda _, payload: any(matches(value) for value in _values(payload, key))
        case {"key": str(key), "range": dict(bounds)}:
            return lambda _, payload: any(_inside(bounds, v) for v in _values(payload, key))
        case {"is_empty": {"key": str(key)}}:
            return lambda _, payload: all(value is None for value in _values(payload, key))
        case {"is_null": {"key": str(key)}}:
            return lambda _, payload: None in list(_values(payload, key))
        case {"has_id": list(ids)}:
            return lambda point_id, _: point_id in ids
        case dict() if given and set(given) <= set(_CLAUSES):
            return read_filter(given)
        case _:
            raise bad_format("data did not match any variant of untagged enum Condition")


def _match(given: Mapping[str, Any]) -> Callable[[object], bool]:
    match given:
        case {"value": wanted}:
            return lambda value: type(value) is type(wanted) and value == wanted
        case {"any": list(wanted)}:
            return lambda value: value in wanted
        case {"except": list(unwanted)}:
            return lambda value: value not in unwanted
        case {"text": str(text)}:
            words = text.casefold().split()
            return lambda value: set(words) <= set(str(value).casefold().split())
        case _:
            raise bad_format("data did not match any variant of untagged enum Match")


def _inside(bounds: Mapping[str, Any], value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (
        ("gt" not in bounds or value > bounds["gt"])
        and ("gte" not in bounds or value >= bounds["gte"])
        and ("lt" not in bounds or value < bounds["lt"])
        and ("lte" not in bounds or value <= bounds["lte"])
    )


def _values(payload: object, key: str) -> Iterator[object]:
    head, _, rest = key.partition(".")
    if not isinstance(payload, Mapping) or head.removesuffix("[]") not in payload:
        return
    found = payload[head.removesuffix("[]")]
    for one in found if isinstance(found, list) else [found]:
        if rest:
            yield from _values(one, rest)
        else:
            yield one
