"""One collection: its named vectors, its points, and how near a vector is to them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_sim.qdrant.errors import bad_format, invalid, wrong_input

Vector = list[float] | Mapping[int, float]
_DISTANCES = frozenset({"Cosine", "Euclid", "Dot", "Manhattan"})


@dataclass(frozen=True)
class Point:
    """A point with its vectors by name; the unnamed one has an empty name."""

    id: int | str
    vectors: Mapping[str, Vector]
    payload: Mapping[str, Any]


@dataclass
class Collection:
    """What ``PUT /collections/{name}`` made."""

    name: str
    vectors: dict[str, Any]
    """As it was given: one vector's size and distance, or those of several by name."""
    sparse_vectors: dict[str, Any]
    points: dict[int | str, Point] = field(default_factory=dict)

    @classmethod
    def made_of(cls, name: str, body: Mapping[str, Any]) -> "Collection":
        """Make one. Raises QdrantError."""
        made = cls(name, body.get("vectors") or {}, body.get("sparse_vectors") or {})
        for found, params in made.dense().items():
            size = params.get("size") if isinstance(params, dict) else None
            if not isinstance(size, int) or params.get("distance") not in _DISTANCES:
                raise bad_format(f"data did not match any variant: vectors.{found}")
            if size < 1:
                raise invalid("vectors.size", f"value {size} invalid, must be 1 or larger")
        return made

    def dense(self) -> dict[str, Any]:
        """Return the parameters of the dense vectors by name."""
        return {"": self.vectors} if "size" in self.vectors else self.vectors

    def info(self) -> dict[str, Any]:
        """Return what ``GET /collections/{name}`` says."""
        params: dict[str, Any] = {
            "vectors": self.vectors, "shard_number": 1, "replication_factor": 1,
            "write_consistency_factor": 1, "on_disk_payload": True,
        }  # fmt: skip
        if self.sparse_vectors:
            params["sparse_vectors"] = self.sparse_vectors
        return {
            "status": "green", "optimizer_status": "ok", "indexed_vectors_count": 0,
            "points_count": len(self.points), "segments_count": 1,
            "config": {
                "params": params,
                "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000,
                                "max_indexing_threads": 0, "on_disk": False},
                "optimizer_config": {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000,
                                     "default_segment_number": 0, "flush_interval_sec": 5},
                "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
                "quantization_config": None,
            },
            "payload_schema": {},
        }  # fmt: skip

    def put(self, given: Mapping[str, Any]) -> None:
        """Store one point of an upsert. Raises QdrantError."""
        point_id = given.get("id")
        if not isinstance(point_id, int | str) or "vector" not in given:
            raise bad_format("missing field `id` or `vector`")
        vector = given["vector"]
        named = vector if isinstance(vector, dict) else {"": vector}
        vectors = {name: self.checked(name, one) for name, one in named.items()}
        self.points[point_id] = Point(point_id, vectors, given.get("payload") or {})

    def checked(self, using: str, given: object) -> Vector:
        """Return a vector that fits the one it is compared with. Raises QdrantError."""
        if using in self.sparse_vectors:
            return _sparse(given)
        params = self.dense().get(using)
        if params is None:
            raise wrong_input(f"Not existing vector name error: {using}")
        if not isinstance(given, list) or not all(isinstance(one, int | float) for one in given):
            raise bad_format("data did not match any variant of untagged enum VectorInput")
        if len(given) != params["size"]:
            raise wrong_input(
                f"Vector dimension error: expected dim: {params['size']}, got {len(given)}"
            )
        return [float(one) for one in given]

    def score(self, using: str, query: Vector, point: Point) -> float | None:
        """Return how near a point is; None when it has no such vector, or nothing in common."""
        stored = point.vectors.get(using)
        if stored is None:
            return None
        if isinstance(stored, Mapping):
            weights = query if isinstance(query, Mapping) else {}
            shared = [
                stored[number] * weight for number, weight in weights.items() if number in stored
            ]
            return sum(shared) if shared else None
        asked = list(query)
        distance = self.dense()[using]["distance"]
        if distance == "Euclid":
            return math.dist(asked, stored)
        if distance == "Manhattan":
            return sum(abs(a - b) for a, b in zip(asked, stored, strict=True))
        dot = sum(a * b for a, b in zip(asked, stored, strict=True))
        return dot if distance == "Dot" else dot / (_length(asked) * _length(stored))

    def nearer_is_larger(self, using: str) -> bool:
        """Say whether a larger score is a better one."""
        params = self.dense().get(using) or {}
        return params.get("distance") not in ("Euclid", "Manhattan")


def _sparse(given: object) -> dict[int, float]:
    match given:
        case {"indices": list(indices), "values": list(values)} if len(indices) == len(values):
            if len(set(indices)) < len(indices):
                raise invalid("indices", "must be unique")
            return dict(zip(indices, values, strict=True))
        case {"indices": list(), "values": list()}:
            raise invalid("values", "must be the same length as indices")
        case _:
            raise bad_format("data did not match any variant of untagged enum VectorInput")


def _length(vector: list[float]) -> float:
    return math.sqrt(sum(value * value for value in vector)) or 1.0
