"""``points/query``: nearest points, prefetches, and the fusion of several lists into one."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from spark_sim.qdrant.collection import Collection, Point
from spark_sim.qdrant.errors import QdrantError, bad_format, invalid
from spark_sim.qdrant.filters import Admits, both, read_filter

Scored = tuple[float, Point]
_RRF_K = 2
_LIMIT = 10


def query_points(collection: Collection, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Answer one query. Raises QdrantError."""
    found = _run(collection, body, read_filter(None))
    threshold = body.get("score_threshold")
    rows = []
    for score, point in found[int(body.get("offset") or 0) :]:
        if threshold is not None and score < threshold:
            continue
        row: dict[str, Any] = {"id": point.id, "version": 0, "score": score}
        if payload := _payload(body.get("with_payload"), point):
            row["payload"] = payload
        rows.append(row)
    return rows


def _run(collection: Collection, asked: Mapping[str, Any], above: Admits) -> list[Scored]:
    """Run one level; what ``above`` it filters is filtered in its prefetches too."""
    most = _limit(asked) + int(asked.get("offset") or 0)
    admits = both(above, read_filter(asked.get("filter")))
    prefetches = asked.get("prefetch") or []
    if isinstance(prefetches, dict):
        prefetches = [prefetches]
    lists = [_run(collection, one, admits) for one in prefetches]
    query = asked.get("query")
    if isinstance(query, dict) and "fusion" in query:
        if not lists:
            raise invalid("prefetch", "Fusion queries cannot be combined without a prefetch")
        if query["fusion"] not in ("rrf", "dbsf"):
            raise bad_format(f"unknown variant `{query['fusion']}`, expected `rrf` or `dbsf`")
        return (_by_rank if query["fusion"] == "rrf" else _by_score)(lists)[:most]
    among = {point.id: point for rows in lists for _, point in rows}
    points = [
        point
        for point in (among if lists else collection.points).values()
        if admits(point.id, point.payload)
    ]
    return _nearest(collection, asked, points)[:most]


def _limit(asked: Mapping[str, Any]) -> int:
    limit = asked.get("limit", _LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise bad_format(f"limit: invalid type or value: {limit!r}, expected usize")
    if limit == 0:
        raise invalid("internal.limit", "value 0 invalid, must be 1 or larger")
    return limit


def _nearest(
    collection: Collection, asked: Mapping[str, Any], points: Sequence[Point]
) -> list[Scored]:
    query, using = asked.get("query"), str(asked.get("using") or "")
    if query is None:
        return [(0.0, point) for point in sorted(points, key=lambda one: str(one.id))]
    if isinstance(query, dict) and "nearest" in query:
        query = query["nearest"]
    if isinstance(query, int | str):
        raise QdrantError(404, f"Not found: No point with id {query} found")
    vector = collection.checked(using, query)
    scored = [
        (score, point)
        for point in points
        if (score := collection.score(using, vector, point)) is not None
    ]
    larger = collection.nearer_is_larger(using)
    return sorted(scored, key=lambda one: (-one[0] if larger else one[0], str(one[1].id)))


def _by_rank(lists: Sequence[Sequence[Scored]]) -> list[Scored]:
    scores: dict[int | str, float] = {}
    points: dict[int | str, Point] = {}
    for rows in lists:
        for place, (_, point) in enumerate(rows):
            points[point.id] = point
            scores[point.id] = scores.get(point.id, 0.0) + 1 / (_RRF_K + place)
    ranked = sorted(scores, key=lambda one: (-scores[one], str(one)))
    return [(scores[one], points[one]) for one in ranked]


def _by_score(lists: Sequence[Sequence[Scored]]) -> list[Scored]:
    """Add scores that were put between 0 and 1, three deviations around the mean of each list."""
    scores: dict[int | str, float] = {}
    points: dict[int | str, Point] = {}
    for rows in lists:
        given = [score for score, _ in rows]
        low = fmean(given) - 3 * stdev(given) if len(given) > 1 else 0.0
        span = 6 * stdev(given) if len(given) > 1 else 0.0
        for score, point in rows:
            points[point.id] = point
            scores[point.id] = scores.get(point.id, 0.0) + ((score - low) / span if span else 0.5)
    ranked = sorted(scores, key=lambda one: (-scores[one], str(one)))
    return [(scores[one], points[one]) for one in ranked]


def _payload(wanted: object, point: Point) -> Mapping[str, Any]:
    match wanted:
        case True:
            return point.payload
        case list(names) | {"include": list(names)}:
            return _picked(point.payload, [str(name).split(".") for name in names])
        case {"exclude": list(names)}:
            return {key: value for key, value in point.payload.items() if key not in names}
        case _:
            return {}


def _picked(payload: Mapping[str, Any], paths: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the fields at these paths, each inside of what it was in."""
    found: dict[str, Any] = {}
    for key, value in payload.items():
        rests = [path[1:] for path in paths if path and path[0] == key]
        if [] in rests:
            found[key] = value
        elif rests and isinstance(value, Mapping) and (inner := _picked(value, rests)):
            found[key] = inner
    return found
