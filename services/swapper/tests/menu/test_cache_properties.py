"""Whatever lies in a cache, the look ends, is JSON, and counts every byte once."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_swapper.scan.hf_cache import Rights, repo_of
from spark_swapper.scan.hf_scan import look_at_hub, packed
from spark_swapper.scan.reply import Look

NAMES = (
    b"models--org--name", b"models--org--two", b"models--x", b"blobs", b"snapshots", b"refs",
    b"main", b"aa", b"ab" * 32, b"cd.0011aabb.incomplete", b"cd.incomplete", b"config.json",
    b"model.safetensors.index.json", b"model-00001-of-00002.safetensors", b"w.bin", b"\xff\xfe",
    b"a\nb", b".locks", b"original",
)  # fmt: skip
TEXTS = (b"{}", b'{"weight_map": {"a": "w.bin"}}', b"[")
name = st.sampled_from(NAMES) | st.binary(min_size=1, max_size=12).filter(
    lambda n: b"/" not in n and b"\0" not in n and n not in (b".", b"..")
)
repo_name = st.sampled_from(NAMES[:3])
path = st.one_of(
    st.builds(lambda r, n: [r, b"blobs", n], repo_name, name),
    st.builds(lambda r, c, n: [r, b"snapshots", c, n], repo_name, name, name),
    st.builds(lambda r, c, d, n: [r, b"snapshots", c, d, n], repo_name, name, name, name),
    st.builds(lambda x, n: [b"blobs", x, n], name, name),
    st.lists(name, min_size=1, max_size=4),
).map(b"/".join)
action = st.one_of(
    st.tuples(st.just("file"), path, st.integers(0, 5000)),
    st.tuples(st.just("text"), path, st.sampled_from(TEXTS)),
    st.tuples(st.just("link"), path, st.one_of(path, st.builds(lambda p: b"../../" + p, path))),
    st.tuples(st.just("hard"), path, path),
    st.tuples(st.just("folder"), path, st.just(0)),
    st.tuples(st.just("closed"), path, st.just(0)),
)  # fmt: skip


def carry_out(hub: Path, what: str, where: bytes, more: object) -> None:
    place = hub / os.fsdecode(where)
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            # Writing into a pipe would wait for a reader.
            return
        if what == "file":
            with place.open("wb") as stream:
                stream.truncate(more)
        elif what == "text":
            place.write_bytes(more)
        elif what == "link":
            place.symlink_to(os.fsdecode(more))
        elif what == "hard":
            place.hardlink_to(hub / os.fsdecode(more))
        elif what == "folder":
            place.mkdir()
        elif what == "closed":
            os.mkfifo(place)


def independent_size(repo: Path) -> int:
    """What ``du -bL`` would count of blobs and snapshots: every inode once, no folders."""
    found: dict[tuple[int, int], int] = {}
    blobs = repo / "blobs"
    names = list(blobs.iterdir()) if blobs.is_dir() else []
    snapshots = repo / "snapshots"
    for commit in snapshots.iterdir() if snapshots.is_dir() else []:
        if commit.is_symlink():
            continue
        for folder, _, files in os.walk(commit):
            names += [Path(folder) / n for n in files]
    for file in names:
        with suppress(OSError):
            status = file.stat()
            if stat.S_ISREG(status.st_mode):
                found[(status.st_dev, status.st_ino)] = status.st_size
    return sum(found.values())


def look(hub: Path):
    models, about = look_at_hub(str(hub), 2e9, Rights())
    users = Counter(k for m in models for k, inode in m.tally.inodes.items() if inode.stored)
    return [model.answer(users) for model in models], about


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(action, max_size=25))
def test_any_tree_can_be_looked_at(actions) -> None:
    hub = Path(tempfile.mkdtemp(prefix="hub-"))
    try:
        for what, where, more in actions:
            carry_out(hub, what, where, more)
        copies, about = look(hub)
        line = packed({"hostname": "s", "hub": "/h", "copies": copies, **about})
        assert Look.model_validate_json(line)
        folders = {
            entry.name: Path(entry.path)
            for entry in os.scandir(hub)
            if entry.is_dir(follow_symlinks=False) and repo_of(entry.name) is not None
        }
        assert {copy["repo"] for copy in copies} == {repo_of(folder) for folder in folders}
        for folder, path in folders.items():
            copy = next(copy for copy in copies if copy["repo"] == repo_of(folder))
            whole = copy["size_bytes"] + copy.get("incomplete_bytes", 0)
            assert 0 <= copy.get("shared_bytes", 0) <= whole
            if copy.get("missing", ["-"])[:1] != ["(Not a directory)"]:
                assert whole == independent_size(path)
    finally:
        shutil.rmtree(hub)


def test_it_is_the_number_of_du(hubs) -> None:
    folder = hubs["spark1"].add("org/name", shards=3, shard_bytes=700_000, shared_store=True)
    hubs["spark1"].add_partial("org/name", 12_345)
    said = subprocess.run(
        ["du", "-sbL", folder / "blobs"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    ((copy,), _) = look(hubs["spark1"].hub)
    own_entry = (folder / "blobs").stat().st_size
    assert copy["size_bytes"] + copy["incomplete_bytes"] == int(said) - own_entry


def test_a_long_answer_is_packed_and_short(hubs) -> None:
    copies = [{"repo": f"org/name-{n}", "size_bytes": n, "state": "ready"} for n in range(1000)]
    line = packed({"hostname": "s", "hub": "/h", "copies": copies})
    assert line.startswith("gzip ")
    assert len(line) < 20_000
    assert json.loads(packed({"a": 1})) == {"a": 1}
