"""Turns a repository of the classic layout into the other shapes that real caches have."""

from collections.abc import Callable
from pathlib import Path

from spark_sim.hf_layout import put_into_store
from spark_sim.sim_model import Shape, SimModel

_LARGE = 64


def reshape(hub: Path, model: SimModel, shape: Shape) -> None:
    """Give a repository, just written in the classic layout, its shape."""
    _SHAPES.get(shape, _leave)(hub, hub / model.folder)


def _share(hub: Path, root: Path) -> None:
    for blob in _weights(root):
        put_into_store(hub, blob)


def _leave(hub: Path, root: Path) -> None:
    """Leave it as it is."""


def _hard_link(hub: Path, root: Path) -> None:
    for link in list((root / "snapshots").rglob("*")):
        if link.is_symlink():
            blob = link.resolve()
            link.unlink()
            link.hardlink_to(blob)


def _rename_partials(hub: Path, root: Path) -> None:
    for partial in (root / "blobs").glob("*.incomplete"):
        partial.rename(partial.with_name(partial.name.split(".")[0] + ".incomplete"))


def _dangle(hub: Path, root: Path) -> None:
    for blob in _weights(root):
        blob.unlink()
        blob.symlink_to(f"../../blobs/{blob.name[:2]}/{blob.name}")


def _lose_a_shard(hub: Path, root: Path) -> None:
    link = sorted((root / "snapshots").glob("*/*.safetensors"))[-1]
    link.resolve().unlink()
    link.unlink()


def _cut_the_index(hub: Path, root: Path) -> None:
    (index,) = (root / "snapshots").glob("*/model.safetensors.index.json")
    blob = index.resolve()
    blob.write_text(blob.read_text()[:40])


def _lose_the_snapshot(hub: Path, root: Path) -> None:
    for link in list((root / "snapshots").rglob("*")):
        if link.is_symlink():
            link.resolve().unlink(missing_ok=True)
            link.unlink()
    for folder in (root / "snapshots").iterdir():
        folder.rmdir()


def _weights(root: Path) -> list[Path]:
    """Return the whole weight files: those whose names are SHA-256."""
    blobs = (root / "blobs").iterdir()
    return [blob for blob in blobs if len(blob.name) == _LARGE and not blob.is_symlink()]


_SHAPES: dict[Shape, Callable[[Path, Path], None]] = {
    Shape.SHARED: _share,
    Shape.HARD_LINKED: _hard_link,
    Shape.OLD_PARTIAL: _rename_partials,
    Shape.DANGLING: _dangle,
    Shape.MISSING_SHARD: _lose_a_shard,
    Shape.BROKEN_INDEX: _cut_the_index,
    Shape.NO_SNAPSHOT: _lose_the_snapshot,
}
