"""A cache of many models with many files, all of them sparse; half in each layout."""

import hashlib
import json
from pathlib import Path

SMALL_FILES = 6
"""Of every model: configuration, tokenizer, index and the like."""


def plant(hub: Path, models: int, files: int) -> int:
    """Fill a hub; return how many files its models have, links not counted."""
    shards = max(1, files // models - SMALL_FILES)
    planted = 0
    for number in range(models):
        root = hub / f"models--owner-{number % 40}--model-{number:04}"
        commit = hashlib.sha1(root.name.encode(), usedforsecurity=False).hexdigest()
        snapshot = root / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (root / "blobs").mkdir()
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text(commit)
        names = [f"model-{n:05}-of-{shards:05}.safetensors" for n in range(1, shards + 1)]
        texts = {
            "config.json": json.dumps({"max_position_embeddings": 4096 + number}),
            "model.safetensors.index.json": json.dumps(
                {"weight_map": {f"layer.{n}": name for n, name in enumerate(names)}}
            ),
        }
        texts |= {f"small-{n}.json": "{}" for n in range(SMALL_FILES - len(texts))}
        for name, text in texts.items():
            blob = root / "blobs" / hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
            blob.write_text(text)
            (snapshot / name).symlink_to(f"../../blobs/{blob.name}")
        for name in names:
            etag = hashlib.sha256(f"{number} {name}".encode()).hexdigest()
            blob = root / "blobs" / etag
            place = blob
            if number % 2:
                place = hub / "blobs" / etag[:2] / etag
                place.parent.mkdir(parents=True, exist_ok=True)
                blob.symlink_to(f"../../blobs/{etag[:2]}/{etag}")
            with place.open("wb") as stream:
                stream.truncate(4_900_000_000 + number)
            (snapshot / name).symlink_to(f"../../blobs/{etag}")
        planted += len(texts) + len(names)
    return planted
