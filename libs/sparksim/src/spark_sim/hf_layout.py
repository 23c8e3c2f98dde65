"""Where the files of a repository lie in a cache, under which names, and how large they are."""

import hashlib
from pathlib import Path

from spark_sim.sim_model import SimModel


def shard_name(model: SimModel, number: int) -> str:
    """Return the name of a shard in the snapshot."""
    return f"model-{number:05}-of-{model.shards:05}.safetensors"


def shard_bytes(model: SimModel, number: int) -> int:
    """Return the size of a shard; the first one takes what does not divide."""
    each = model.size_bytes // model.shards
    return each + (model.size_bytes - each * model.shards if number == 1 else 0)


def etag_of(model: SimModel, number: int) -> str:
    """Return the name of the blob of a shard."""
    return hashlib.sha256(f"{model.repo}/{shard_name(model, number)}".encode()).hexdigest()


def blob_of(hub: Path, model: SimModel, number: int) -> Path:
    """Return where a whole shard lies in the classic layout; in the shared one it is a link."""
    return hub / model.folder / "blobs" / etag_of(model, number)


def put_into_store(hub: Path, blob: Path) -> None:
    """Move a whole shard into the hub's store and leave a link, as since huggingface_hub 1.32."""
    if blob.is_symlink():
        return
    root = blob.parent.parent
    stored = hub / "blobs" / blob.name[:2] / blob.name
    stored.parent.mkdir(parents=True, exist_ok=True)
    (hub / "blobs" / ".huggingface-shared-blobs").write_text("1\n")
    blob.rename(stored)
    stored.chmod(0o444)
    Path(f"{stored}.refs").write_text(f"{root.name}\n")
    Path(f"{stored}.lock").touch()
    blob.symlink_to(f"../../blobs/{stored.parent.name}/{stored.name}")
    (commit,) = (root / "snapshots").iterdir()
    (root / "trees").mkdir(exist_ok=True)
    (root / "trees" / f"{commit.name}.json").write_text("[]")
