"""Repositories in a Hugging Face cache: true layout, true sizes, no bytes (sparse files)."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from spark_sim.hf_layout import blob_of, shard_bytes, shard_name
from spark_sim.hf_shapes import reshape
from spark_sim.sim_model import SimModel

_CHAT_TEMPLATE = """\
{%- if tools %}<|tools|>{{ tools | tojson }}{% endif -%}
{%- for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor -%}
{%- if add_generation_prompt %}<|assistant|>{% endif -%}
"""


def lay_out(hub: Path, models: Iterable[SimModel], host: str = "") -> None:
    """Write the repositories that were never written before; what was deleted stays deleted.

    ``host`` chooses among the shapes that a model has on different hosts.
    """
    written = hub / ".laid-out"
    known = set(written.read_text().split()) if written.exists() else set()
    hub.mkdir(parents=True, exist_ok=True)
    (hub / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    for model in models:
        if model.folder not in known:
            write_model(hub, model)
            reshape(hub, model, model.shapes.get(host, model.shape))
            known.add(model.folder)
    written.write_text("\n".join(sorted(known)) + "\n")


def write_model(hub: Path, model: SimModel) -> None:
    """Write one repository in the classic layout, as far as it is downloaded."""
    start_model(hub, model)
    present = round(model.shards * model.downloaded)
    for number in range(1, present + 1):
        place_shard(hub, model, number, share=1.0)
    if present < model.shards:
        place_shard(hub, model, present + 1, share=1 / 3)
        partial = _partial_of(blob_of(hub, model, present + 1))
        stat = partial.stat()
        os.utime(partial, (stat.st_atime, stat.st_mtime - 86_400))


def start_model(hub: Path, model: SimModel) -> Path:
    """Write the small files of a repository; return its snapshot."""
    root = hub / model.folder
    commit = hashlib.sha1(model.repo.encode(), usedforsecurity=False).hexdigest()
    snapshot = root / "snapshots" / commit
    snapshot.mkdir(parents=True, exist_ok=True)
    (root / "blobs").mkdir(exist_ok=True)
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    names = [shard_name(model, number) for number in range(1, model.shards + 1)]
    index = {
        "metadata": {"total_size": model.size_bytes},
        "weight_map": {f"model.layers.{n}.weight": name for n, name in enumerate(names)},
    }
    _small(root, snapshot, "config.json", json.dumps(config_json(model), indent=2))
    _small(root, snapshot, "tokenizer_config.json", json.dumps({"model_max_length": 10**9}))
    _small(root, snapshot, "chat_template.jinja", _CHAT_TEMPLATE)
    _small(root, snapshot, "model.safetensors.index.json", json.dumps(index, indent=2))
    return snapshot


def place_shard(hub: Path, model: SimModel, number: int, share: float) -> bool:
    """Write a share of a shard; a whole one is linked. Return whether it is whole."""
    blob = blob_of(hub, model, number)
    if blob.exists():
        return True
    partial = _partial_of(blob)
    _sparse(partial, int(shard_bytes(model, number) * share))
    if share < 1:
        return False
    partial.rename(blob)
    (snapshot,) = (hub / model.folder / "snapshots").iterdir()
    (snapshot / shard_name(model, number)).symlink_to(f"../../blobs/{blob.name}")
    return True


def _partial_of(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.{blob.name[:8]}.incomplete")


def config_json(model: SimModel) -> dict[str, object]:
    """Return the part of ``config.json`` that says what a model is."""
    text: dict[str, object] = {
        "model_type": model.model_type,
        "max_position_embeddings": model.context_length,
        "dtype": "bfloat16",
        **model.details,
    }
    if model.auto_map:
        text["auto_map"] = dict(model.auto_map)
    if model.quantization:
        text["quantization_config"] = dict(model.quantization)
    if not model.vision:
        return {"architectures": [model.architecture], **text}
    return {
        "architectures": [model.architecture],
        "model_type": model.model_type,
        "dtype": "bfloat16",
        **({"quantization_config": dict(model.quantization)} if model.quantization else {}),
        "text_config": text,
        "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27},
    }


def _small(root: Path, snapshot: Path, name: str, text: str) -> None:
    etag = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    (root / "blobs" / etag).write_text(text)
    link = snapshot / name
    link.unlink(missing_ok=True)
    link.symlink_to(f"../../blobs/{etag}")


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        stream.truncate(size)
