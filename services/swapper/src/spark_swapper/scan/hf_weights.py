"""Says which weights of a model are missing, from its indexes and its names. Runs on a Spark."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

from spark_swapper.scan.hf_cache import read_bytes
from spark_swapper.scan.hf_files import WHOLE

INDEXES = (
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "consolidated.safetensors.index.json",
    "diffusion_pytorch_model.safetensors.index.json",
)
WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth")
_OF_TRAINING = re.compile(
    r"(training_args|optimizer|scheduler|scaler|rng_state\w*)\.(bin|pt|pth)\Z"
)
NO_WEIGHTS = "(no weight file)"
_SHARD = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.(safetensors|bin|gguf)\Z")
_MAX_SHARDS = 9999
_MAX_JSON_BYTES = 64 * 1024 * 1024


def read_json(path: str) -> dict[str, Any] | None:
    """Return the object in a file; None when it is not there, or is something else."""
    try:
        found = json.loads(read_bytes(path, _MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def missing_weights(snapshot: str, files: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the weight files that are not there, and the indexes that are damaged.

    ``files``: every path below the snapshot with its state. Weights in folders below it count
    only where there are none at the top: vLLM reads the top, ``original/`` is for others.
    """
    folders: dict[str, set[str]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, set()).add(name)
    top = folders.get("", set())
    chosen = [""] if _has_weights(top) else [f for f in folders if _has_weights(folders[f])]
    missing: list[str] = []
    damaged: list[str] = []
    for folder in chosen:
        gone, broken = _missing_in(snapshot, folder, folders[folder], files)
        missing += [posixpath.join(folder, name) for name in gone]
        damaged += [posixpath.join(folder, name) for name in broken]
    return (missing if chosen else [NO_WEIGHTS]), damaged


def is_weights(name: str) -> bool:
    """Say whether a file holds weights, and not what a training left beside them."""
    return name.endswith(WEIGHTS) and not _OF_TRAINING.match(name)


def _has_weights(names: set[str]) -> bool:
    return any(is_weights(name) or name in INDEXES for name in names)


def _missing_in(
    snapshot: str, folder: str, names: set[str], files: dict[str, str]
) -> tuple[list[str], list[str]]:
    lists: list[list[str]] = []
    damaged: list[str] = []
    for index in INDEXES:
        # An index whose own bytes are gone is told as a dead link.
        if index in names and files[posixpath.join(folder, index)] == WHOLE:
            document = read_json(posixpath.join(snapshot, folder, index)) or {}
            mapped = document.get("weight_map")
            if isinstance(mapped, dict) and all(isinstance(v, str) for v in mapped.values()):
                paths = {name: posixpath.join(folder, name) for name in set(mapped.values())}
                lists.append(sorted(n for n in paths if posixpath.normpath(paths[n]) not in files))
            else:
                damaged.append(index)
    if lists:
        # Safetensors, PyTorch or Mistral's own files: one whole set is enough.
        return min(lists, key=len), []
    present = {name for name in names if is_weights(name)}
    if not present and not damaged:
        return [NO_WEIGHTS], damaged
    # Without an index the files' own names say how many there are.
    wanted = set()
    for match in filter(None, map(_SHARD.match, present)):
        for number in range(1, min(int(match[3]), _MAX_SHARDS) + 1):
            wanted.add(f"{match[1]}-{number:05}-of-{match[3]}.{match[4]}")
    return sorted(wanted - present), damaged


def context_length(snapshot: str) -> int | None:
    """Return the number of tokens the model was made for, from its configuration."""
    config = read_json(posixpath.join(snapshot, "config.json")) or {}
    for part in (config.get("text_config"), config.get("llm_config"), config):
        if isinstance(part, dict):
            length = part.get("max_position_embeddings")
            if isinstance(length, int) and not isinstance(length, bool) and 0 < length < 2**40:
                return length
    return None
