"""Runs on a Spark as ``python3 - DIRECTORY``: what a model's small files say.

Standard library only, read-only, one line of JSON on standard output. The directory is one of
the cache's own names, or the absolute path of a local model; files beyond a size are not read,
long lists are cut.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from spark_swapper.scan.hf_cache import REPO_DIRECTORY, hub, read_bytes, valid
from spark_swapper.scan.hf_repo import head_of, revisions
from spark_swapper.scan.hf_weights import INDEXES, is_weights, read_json

LOCAL_DIRECTORY = re.compile(r"/[A-Za-z0-9._/=@+-]+\Z")
MAX_FILE = 8 * 2**20
"""Bytes; a tokenizer's configuration with all its tokens is below one MiB."""
MAX_ITEMS = 512
MAX_DEPTH = 8
MOST_BYTES = 2**50
"""No model weighs more; what claims to does not know."""


def head_snapshot(repo: Path) -> Path | None:
    """Return the snapshot that the look at the disk judges as well."""
    name = head_of(str(repo), revisions(str(repo)))
    return repo / "snapshots" / name if name else None


def read_text(path: Path) -> str | None:
    """Return a small file's text; None when it is not there, too large or not text."""
    try:
        content = read_bytes(str(path), MAX_FILE + 1)
        return content.decode("utf-8") if len(content) <= MAX_FILE else None
    except (OSError, ValueError):
        return None


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the object in a small file; None when there is none."""
    text = read_text(path)
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def pruned(value: Any, depth: int = 0) -> Any:
    """Return a value without what only the weights' loader needs: long lists, deep trees."""
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return None
        return {valid(k): pruned(v, depth + 1) for k, v in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            return None
        return [pruned(item, depth + 1) for item in value[:MAX_ITEMS]]
    if isinstance(value, str):
        # Half a letter is no JSON for everybody.
        return valid(value)
    if isinstance(value, float) and value - value != 0:
        # Infinity and not-a-number are no JSON.
        return None
    return value


def chat_template(snapshot: Path, tokenizer: dict[str, Any]) -> str:
    """Return ``tools``, ``plain`` or ``none``: whether a template is there and what it knows."""
    texts = [read_text(snapshot / "chat_template.jinja"), tokenizer.get("chat_template")]
    template = (read_object(snapshot / "chat_template.json") or {}).get("chat_template")
    found = [text for text in [*texts, template] if text]
    # Some repositories have several templates: a list of names and texts.
    written = " ".join(text if isinstance(text, str) else json.dumps(text) for text in found)
    if not written:
        return "none"
    return "tools" if "tool" in written else "plain"


def weights(snapshot: Path, names: list[str]) -> tuple[int, list[str]]:
    """Return bytes of the weights that vLLM would load, and the formats that are there."""
    own = {kind: weights_in(names, kind) for kind in ("safetensors", "bin", "gguf")}
    formats = [kind for kind, files in own.items() if files]
    if "params.json" in names and any(name.startswith("consolidated") for name in names):
        formats.append("mistral")
    for index in INDEXES:
        listed = read_json(str(snapshot / index)) or {}
        mapped = listed.get("weight_map")
        if isinstance(mapped, dict) and mapped:
            wanted = {str(name) for name in mapped.values()}.intersection(names)
            on_disk = sum(size(snapshot / name) for name in wanted)
            said = listed.get("metadata")
            total = said.get("total_size") if isinstance(said, dict) else None
            # What is not there yet counts as well.
            known = total if isinstance(total, int) and total <= MOST_BYTES else 0
            return max(on_disk, known), formats
    for files in own.values():
        # The same weights a second time, in Mistral's own layout.
        first = [name for name in files if not name.startswith("consolidated")] or files
        if total_bytes := sum(size(snapshot / name) for name in first):
            return total_bytes, formats
    return 0, formats


def weights_in(names: list[str], kind: str) -> list[str]:
    """Return the weight files of a format."""
    return [name for name in names if name.endswith(f".{kind}") and is_weights(name)]


def size(path: Path) -> int:
    """Return bytes of a file behind all links; 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def answer(directory: str) -> dict[str, Any]:
    """Return everything about one repository or local model."""
    if directory.startswith("/"):
        snapshot: Path | None = Path(directory)
    else:
        repo = Path(hub()) / directory
        # A link could lead anywhere; the cache itself has none there.
        snapshot = None if repo.is_symlink() else head_snapshot(repo)
    if snapshot is None or not snapshot.is_dir():
        return {"found": False}
    names = sorted(path.name for path in snapshot.iterdir())
    tokenizer = read_object(snapshot / "tokenizer_config.json")
    weight_bytes, formats = weights(snapshot, names)
    small = {k: (tokenizer or {}).get(k) for k in ("model_max_length", "auto_map")}
    return {
        "found": True,
        "config": pruned(read_object(snapshot / "config.json")),
        "tokenizer": pruned(small) if tokenizer is not None else None,
        "hf_quant": pruned(read_object(snapshot / "hf_quant_config.json")),
        "sentence_bert": pruned(read_object(snapshot / "sentence_bert_config.json")),
        "sentence_transformers": "modules.json" in names,
        "chat_template": chat_template(snapshot, tokenizer or {}),
        "formats": formats,
        "weight_bytes": weight_bytes,
    }


if __name__ == "__main__":
    known = (REPO_DIRECTORY, LOCAL_DIRECTORY)
    if len(sys.argv) != 2 or not any(kind.match(sys.argv[1]) for kind in known):
        sys.exit("usage: python3 - models--OWNER--NAME | /DIRECTORY")
    sys.stdout.write(json.dumps(answer(sys.argv[1])) + "\n")
