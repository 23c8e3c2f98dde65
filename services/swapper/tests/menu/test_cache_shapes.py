"""Every shape a model cache can have, and what is said about it."""

import fcntl
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spark_swapper.scan.hf_cache import Rights
from spark_swapper.scan.hf_scan import look_at_hub

COMMIT, OTHER = "a" * 40, "b" * 40
NOW = 2_000_000_000.0
INDEX = "model.safetensors.index.json"
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


class Cache:
    """A hub in which repositories are put together file by file. Small files have ten bytes."""

    def __init__(self, hub: Path) -> None:
        self.hub = hub
        hub.mkdir(parents=True)

    def file(
        self, path: str, content: bytes | int = 10, *, repo: str = "org--name",
        how: str = "classic", commit: str = COMMIT,
    ) -> Path:  # fmt: skip
        """Put a file into a snapshot, in a layout; return where its bytes are."""
        root = self.hub / f"models--{repo}"
        link = root / "snapshots" / commit / path
        link.parent.mkdir(parents=True, exist_ok=True)
        etag = hashlib.sha256(f"{path}{content!r}".encode()).hexdigest()
        blob = root / "blobs" / etag
        if how == "copied":
            write(link, content)
            return link
        blob.parent.mkdir(exist_ok=True)
        if how == "shared":
            stored = self.hub / "blobs" / etag[:2] / etag
            stored.parent.mkdir(parents=True, exist_ok=True)
            if not stored.exists():
                write(stored, content)
            blob.symlink_to(f"../../blobs/{etag[:2]}/{etag}")
        else:
            write(blob, content)
        if how == "hardlinked":
            link.hardlink_to(blob)
        else:
            link.symlink_to("../" * (2 + path.count("/")) + f"blobs/{etag}")
        return blob

    def model(self, *shards: str, how: str = "classic", commit: str = COMMIT, **more: Any) -> None:
        """Put an index that names both shards, and some of them; 1000 bytes each."""
        weights = json.dumps({"weight_map": {"a": ONE, "b": TWO}}).encode()
        self.file(INDEX, weights, commit=commit, **more)
        self.file("config.json", b"{}", commit=commit, **more)
        for shard in shards:
            self.file(shard, 1000, how=how, commit=commit, **more)

    def main(self, commit: str, repo: str = "org--name") -> None:
        """Let ``main`` be a commit."""
        refs = self.hub / f"models--{repo}" / "refs"
        refs.mkdir(exist_ok=True)
        (refs / "main").write_text(commit)

    def partial(self, name: str, size: int, age_seconds: float) -> None:
        """Put an unfinished file beside the blobs."""
        blobs = self.hub / "models--org--name" / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        write(blobs / name, size)
        os.utime(blobs / name, (NOW - age_seconds, NOW - age_seconds))

    def look(self) -> dict[str, dict[str, Any]]:
        """Return the answers by repository."""
        models, _ = look_at_hub(str(self.hub), NOW, Rights())
        keys = [key for m in models for key, inode in m.tally.inodes.items() if inode.stored]
        return {model.repo: model.answer(Counter(keys)) for model in models}


def write(path: Path, content: bytes | int) -> None:
    with path.open("wb") as stream:
        if isinstance(content, bytes):
            stream.write(content)
        else:
            stream.truncate(content)


SMALL = len(json.dumps({"weight_map": {"a": ONE, "b": TWO}})) + len("{}")


@dataclass(frozen=True)
class Shape:
    name: str
    build: Callable[[Cache], object]
    state: str
    size: int = SMALL + 2000
    partial: int = 0
    shared: int = 0
    missing: tuple[str, ...] = ()


def shape(name: str, state: str, **expected: Any) -> Callable[[Callable[[Cache], object]], Any]:
    def remember(build: Callable[[Cache], object]) -> Callable[[Cache], object]:
        SHAPES.append(Shape(name, build, state, **expected))
        return build

    return remember


SHAPES: list[Shape] = []

for layout in ("classic", "shared", "hardlinked", "copied"):
    SHAPES.append(
        Shape(f"whole, {layout}", lambda c, how=layout: c.model(ONE, TWO, how=how), "ready")
    )
    SHAPES.append(
        Shape(
            f"one shard short, {layout}",
            lambda c, how=layout: c.model(ONE, how=how),
            "incomplete",
            SMALL + 1000,
            missing=(TWO,),
        )
    )


@shape("one file under two names", "ready", size=SMALL + 1000)
def _(cache: Cache) -> None:
    cache.model(ONE)
    blob = next(
        b for b in (cache.hub / "models--org--name/blobs").iterdir() if b.stat().st_size == 1000
    )
    (blob.parent / "twin").hardlink_to(blob)
    (cache.hub / f"models--org--name/snapshots/{COMMIT}/{TWO}").symlink_to("../../blobs/twin")


@shape("shared with another model", "ready", shared=2000)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO, how="shared")
    cache.model(ONE, TWO, how="shared", repo="org--copy")


@shape("a hard link outside", "ready", shared=1000)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    blobs = (cache.hub / "models--org--name" / "blobs").iterdir()
    shard = next(blob for blob in blobs if blob.stat().st_size == 1000)
    (cache.hub / "elsewhere").hardlink_to(shard)


@shape("a link out of the cache", "ready", size=SMALL + 3000, shared=2000)
def _(cache: Cache) -> None:
    cache.model(ONE)
    write(cache.hub / "precious", 2000)
    (cache.hub / f"models--org--name/snapshots/{COMMIT}/{TWO}").symlink_to(cache.hub / "precious")


@shape(
    "an old partial name, abandoned", "incomplete", size=SMALL + 1000, partial=300, missing=(TWO,)
)
def _(cache: Cache) -> None:
    cache.model(ONE)
    cache.partial("ab" * 32 + ".incomplete", 300, 4000)


@shape(
    "a new partial name, being written",
    "downloading",
    size=SMALL + 1000,
    partial=300,
    missing=(TWO,),
)
def _(cache: Cache) -> None:
    cache.model(ONE)
    cache.partial("ab" * 32 + ".0011aabb.incomplete", 300, 5)


@shape("what a training left is no weight", "incomplete", size=50, missing=("(no weight file)",))
def _(cache: Cache) -> None:
    for name in ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "x.json"):
        cache.file(name)


@shape("whole beside an abandoned partial", "ready", partial=300)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.partial("ab" * 32 + ".0011aabb.incomplete", 300, 4000)


@shape("the first file is being downloaded", "downloading", size=0, partial=77)
def _(cache: Cache) -> None:
    cache.partial("ab" * 32 + ".incomplete", 77, 5)


@shape("no revision", "no_snapshot", size=0)
def _(cache: Cache) -> None:
    (cache.hub / "models--org--name" / "refs").mkdir(parents=True)


@shape("an empty revision", "incomplete", size=0, missing=("(no weight file)",))
def _(cache: Cache) -> None:
    (cache.hub / "models--org--name" / "snapshots" / COMMIT).mkdir(parents=True)


@shape(
    "links without their store, as rsync -a leaves them", "broken", size=SMALL, missing=(ONE, TWO)
)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO, how="shared")
    for stored in (cache.hub / "blobs").rglob("*"):
        if stored.is_file():
            stored.unlink()


@shape("a blob that was removed by hand", "broken", size=SMALL + 1000, missing=(TWO,))
def _(cache: Cache) -> None:
    cache.model(ONE)
    cache.file(TWO, 999).unlink()


@shape("a damaged index", "broken", size=2005, missing=(f"{INDEX} (cannot be read)",))
def _(cache: Cache) -> None:
    cache.file(INDEX, b"{oops")
    cache.file(ONE, 1000)
    cache.file(TWO, 1000)


@shape("an index that is no map", "broken", size=1019, missing=(TWO, f"{INDEX} (cannot be read)"))
def _(cache: Cache) -> None:
    cache.file(INDEX, b'{"weight_map": [1]}')
    cache.file(ONE, 1000)


@shape("shards that count themselves", "incomplete", size=1000, missing=(TWO,))
def _(cache: Cache) -> None:
    cache.file(ONE, 1000)


@shape(
    "GGUF in parts",
    "incomplete",
    size=10,
    missing=("q4-00002-of-00003.gguf", "q4-00003-of-00003.gguf"),
)
def _(cache: Cache) -> None:
    cache.file("q4-00001-of-00003.gguf")


@shape("one set of two formats is whole", "ready", size=1010 + 2 * SMALL - 4)
def _(cache: Cache) -> None:
    weights = json.dumps({"weight_map": {"a": ONE, "b": TWO}}).encode()
    cache.file(INDEX, weights)
    cache.file("pytorch_model.bin.index.json", weights.replace(b"safetensors", b"bin"))
    cache.file("model-00001-of-00002.bin", 1000)
    cache.file("model-00002-of-00002.bin", 10 + 2 * len(b"safetensors") - 2 * len(b"bin"))


@shape("another format below", "ready", size=SMALL + 2010)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.file("original/consolidated-00001-of-00009.pth")


@shape("weights only below", "incomplete", size=1000, missing=(f"transformer/{TWO}",))
def _(cache: Cache) -> None:
    cache.file(f"transformer/{ONE}", 1000)


@shape("a dead link below", "broken", missing=("tokenizer/tokenizer.json",))
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.file("tokenizer/tokenizer.json").unlink()


@shape("main names the older of two revisions", "ready", size=2 * SMALL + 2001)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.main(COMMIT)
    cache.file(ONE, 1, commit=OTHER)
    cache.file("README.md", SMALL, commit=OTHER)


@shape(
    "main names the broken one of two revisions", "incomplete", size=SMALL + 2001, missing=(TWO,)
)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.file(ONE, 1, commit=OTHER)
    cache.main(OTHER)


@shape(
    "without main the revision written last counts", "incomplete", size=SMALL + 2001, missing=(TWO,)
)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.file(ONE, 1, commit=OTHER)
    snapshots = cache.hub / "models--org--name" / "snapshots"
    os.utime(snapshots / COMMIT, (1, 1))
    os.utime(snapshots / OTHER, (2, 2))


@shape("main names what is not there", "ready")
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    cache.main("c" * 40)


@shape("a name that is no text", "ready", size=SMALL + 2010)
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    (
        cache.hub / "models--org--name/snapshots" / COMMIT / os.fsdecode(b"caf\xe9\n.txt")
    ).write_bytes(b"0" * 10)


@shape("links that go round", "broken", size=SMALL + 2000, missing=("loop",))
def _(cache: Cache) -> None:
    cache.model(ONE, TWO)
    snapshot = cache.hub / "models--org--name/snapshots" / COMMIT
    (snapshot / "loop").symlink_to("loop")
    (snapshot / "up").symlink_to("..")


@shape(
    "a pipe instead of a configuration",
    "broken",
    size=SMALL - 2,
    missing=(ONE, TWO, "config.json"),
)
def _(cache: Cache) -> None:
    cache.model()
    config = cache.hub / f"models--org--name/snapshots/{COMMIT}/config.json"
    blob = config.resolve()
    blob.unlink()
    os.mkfifo(blob)


@shape(
    "a folder where snapshots should be a folder", "broken", size=10, missing=("(Not a directory)",)
)
def _(cache: Cache) -> None:
    cache.file("x")
    root = cache.hub / "models--org--name"
    (root / "snapshots").rename(root / "away")
    (root / "snapshots").write_text("")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_is_told_as_it_is(tmp_path, shape: Shape) -> None:
    cache = Cache(tmp_path / "hub")
    shape.build(cache)
    found = cache.look()["org/name"]
    assert (found["state"], tuple(found.get("missing", ()))) == (shape.state, shape.missing)
    assert found["size_bytes"] == shape.size
    assert found.get("incomplete_bytes", 0) == shape.partial
    assert found.get("shared_bytes", 0) == shape.shared
    json.dumps(found).encode()


def test_names_that_no_repository_has_are_left_alone(tmp_path) -> None:
    cache = Cache(tmp_path / "hub")
    cache.model(ONE, TWO, repo="org--fine")
    for name in (
        "models--a b", "models--", "models----name", "models--a--", "models--..--b", "models---x",
        "models--ü--x", "datasets--org--x", "models--a--b\n", os.fsdecode(b"models--\xff--x"),
        ".deleting-models--org--gone",
    ):  # fmt: skip
        (cache.hub / name).mkdir()
    (cache.hub / "models--a--file").write_text("")
    (cache.hub / "models--a--link").symlink_to(cache.hub / "models--org--fine")
    assert list(cache.look()) == ["org/fine"]
    _, about = look_at_hub(str(cache.hub), NOW, Rights())
    assert about == {"leftovers": [".deleting-models--org--gone"]}


def test_a_held_lock_is_a_download_between_two_files(tmp_path) -> None:
    cache = Cache(tmp_path / "hub")
    cache.model(ONE)
    locks = cache.hub / ".locks" / "models--org--name"
    locks.mkdir(parents=True)
    (locks / "etag.lock").touch()
    assert cache.look()["org/name"]["state"] == "incomplete"
    with (locks / "etag.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert cache.look()["org/name"]["state"] == "downloading"
    assert cache.look()["org/name"]["state"] == "incomplete"
