"""What the script on the Spark removes, and above all what it does not."""

import fcntl
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spark_common.errors import InvalidRequestError, RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_swapper.disk.order import delete_command, read_cleared, sweep_command
from spark_swapper.scan.hf_cache import Rights
from spark_swapper.scan.hf_scan import look_at_hub

pytestmark = pytest.mark.connected


def test_a_model_goes_and_its_bytes_are_counted(hub) -> None:
    hub.add("org/name", "a.safetensors", "b.safetensors")
    hub.add("org/other")
    (hub.path / ".locks" / "models--org--name").mkdir(parents=True)
    (hub.path / ".locks" / "models--org--other").mkdir()
    done = hub.delete("org/name")
    assert (done.freed_bytes, done.kept) == (2000 + 40, ())
    assert hub.names() == [".locks", "models--org--other"]
    assert [lock.name for lock in (hub.path / ".locks").iterdir()] == ["models--org--other"]


def test_deleting_again_is_well(hub) -> None:
    hub.add("org/name")
    hub.delete("org/name")
    again = hub.delete("org/name")
    assert (again.freed_bytes, again.kept) == (0, ())


def test_no_cache_at_all_is_well(tmp_path, hub) -> None:
    hub.path.rmdir()
    assert hub.delete("org/name").freed_bytes == 0


def test_of_the_shared_store_only_what_nobody_else_uses_goes(hub) -> None:
    hub.add("org/name", "mine", "both", shared=True)
    hub.add("org/other", "both", "theirs", shared=True)
    done = hub.delete("org/name")
    assert done.freed_bytes == 1000 + 40
    assert not hub.stored("mine").exists()
    assert not Path(f"{hub.stored('mine')}.refs").exists()
    assert not Path(f"{hub.stored('mine')}.lock").exists()
    assert hub.stored("both").exists()
    assert hub.stored("theirs").exists()
    last = hub.delete("org/other")
    assert last.freed_bytes == 2000 + 40
    assert not hub.stored("both").exists()


def test_a_stored_file_that_a_download_locks_stays(hub) -> None:
    hub.add("org/name", "mine", shared=True)
    with Path(f"{hub.stored('mine')}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = hub.delete("org/name")
    assert (done.freed_bytes, done.kept) == (40, ())
    assert hub.stored("mine").exists()


def test_a_hard_link_elsewhere_keeps_its_bytes(hub, tmp_path) -> None:
    root = hub.add("org/name")
    blob = next((root / "blobs").iterdir())
    (tmp_path / "kept").hardlink_to(blob)
    assert hub.delete("org/name").freed_bytes == 40
    assert (tmp_path / "kept").stat().st_size == 1000


@pytest.mark.parametrize(
    "target", ["../../../../../precious/file", "{home}/precious/file", "../../blobs/../../x", ".."]
)
def test_links_out_of_the_store_lose_only_the_link(hub, outside, target, tmp_path) -> None:
    root = hub.add("org/name")
    (root / "blobs" / "away").symlink_to(target.format(home=tmp_path))
    (root / "snapshots" / "outside").symlink_to(tmp_path / "precious")
    hub.delete("org/name")
    assert outside()
    assert hub.names() == []


def test_a_store_that_leads_out_of_the_cache_is_left_alone(hub, outside, tmp_path) -> None:
    root = hub.add("org/name")
    etag = "ab" * 32
    (tmp_path / "precious" / etag).write_text("mine too")
    (hub.path / "blobs").mkdir()
    (hub.path / "blobs" / "ab").symlink_to(tmp_path / "precious")
    (root / "blobs" / etag).symlink_to(f"../../blobs/ab/{etag}")
    hub.delete("org/name")
    assert outside()
    assert (tmp_path / "precious" / etag).read_text() == "mine too"


def test_a_repository_that_is_a_link_is_left_alone(hub, outside, tmp_path) -> None:
    (hub.path / "models--org--name").symlink_to(tmp_path / "precious")
    done = hub.delete("org/name")
    assert [kept.code for kept in done.kept] == ["not_a_folder"]
    assert outside()
    assert hub.names() == ["models--org--name"]


def test_a_hub_behind_a_link_is_fine(hub, tmp_path) -> None:
    hub.add("org/name")
    hub.path.rename(tmp_path / "big-disk")
    hub.path.symlink_to(tmp_path / "big-disk")
    assert hub.delete("org/name").freed_bytes == 1040
    assert list((tmp_path / "big-disk").iterdir()) == []


@pytest.mark.parametrize(
    "repo",
    ["../x", "a/../b", "..", ".", "", "/", "org/", "/etc", "a/b/c", "org/na me", "org/x\n", "-x/y",
     "org/$(id)", "ü/x", "a--b", "org/..", "org/.", "org/*"],
)  # fmt: skip
def test_what_is_no_repository_never_becomes_a_path(repo) -> None:
    with pytest.raises(InvalidRequestError):
        delete_command([repo], "vllm-node", "vllm_node")


@pytest.mark.parametrize(
    "words",
    [
        ("delete", "i", "c"),
        ("delete", "i", "c", "../precious"),
        ("delete", "i", "c", "models--org--name", "blobs"),
        ("delete", "i", "c", "models--..--x"),
        ("sweep", "i", "c", "models--org--name"),
        ("list",),
        (),
    ],
)
def test_the_script_itself_refuses_other_names(hub, words) -> None:
    hub.add("org/name")
    script = sweep_command("i", "c").stdin
    done = hub.run(RemoteCommand(argv=("python3", "-", *words), stdin=script))
    assert (done.exit_code, done.stdout) == (1, "")
    assert hub.names() == ["models--org--name"]


@pytest.mark.parametrize("name", ["cd.incomplete", "cd.0011aabb.incomplete"])
def test_a_running_download_is_not_disturbed(hub, name) -> None:
    root = hub.add("org/name")
    (root / "blobs" / name).write_bytes(b"0" * 10)
    done = hub.delete("org/name")
    assert [kept.code for kept in done.kept] == ["downloading"]
    assert hub.names() == ["models--org--name"]
    long_ago = time.time() - 3600
    os.utime(root / "blobs" / name, (long_ago, long_ago))
    assert hub.delete("org/name").freed_bytes == 1050


def test_a_held_lock_is_a_running_download(hub) -> None:
    hub.add("org/name")
    locks = hub.path / ".locks" / "models--org--name"
    locks.mkdir(parents=True)
    with (locks / "etag.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [kept.code for kept in hub.delete("org/name").kept] == ["downloading"]
    assert hub.delete("org/name").kept == ()


def test_what_a_killed_deletion_left_goes_with_the_next_one(hub) -> None:
    root = hub.add("org/gone", "mine", "both", shared=True)
    root.rename(hub.path / ".deleting-models--org--gone")
    hub.add("org/stays", "both", shared=True)
    hub.add("org/name")
    done = hub.delete("org/name")
    assert (done.freed_bytes, done.swept_bytes) == (1040, 1040)
    assert not hub.stored("mine").exists()
    assert hub.stored("both").exists()
    assert hub.names() == ["blobs", "models--org--stays"]


def names_left(hub) -> int:
    """Return how many names of files the model still has, wherever it lies by now."""
    for root in hub.path.glob("*models--org--name"):
        try:
            return sum(1 for _ in (root / "snapshots" / ("c" * 40)).iterdir())
        except OSError:
            return 0
    return 0


@pytest.mark.parametrize("seed", range(4))
def test_a_deletion_killed_anywhere_is_finished_by_the_next(hub, seed) -> None:
    """Whoever looks meanwhile sees the whole model or none of it."""
    chance = random.Random(seed)
    files = [f"part-{n}.safetensors" for n in range(1, 601)]
    hub.add("org/name", *files, shared=seed % 2 == 0)
    hub.add("org/stays", *files[:3], shared=seed % 2 == 0)
    command = delete_command(["org/name"], "vllm-node", "vllm_node")
    killed = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", *command.argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"HOME": str(hub.home), "PATH": os.environ["PATH"]},
        )
        process.stdin.write(command.stdin)
        process.stdin.close()
        left = chance.randrange(1, 600)
        while process.poll() is None and names_left(hub) > left:
            pass
        process.kill()
        killed += process.wait() != 0
        process.stdout.close()
        models, _ = look_at_hub(str(hub.path), time.time(), Rights())
        states = {model.repo: model.facts["state"] for model in models}
        assert states.get("org/name", "ready") == "ready"
        assert states["org/stays"] == "ready"
    assert hub.delete("org/name").kept == ()
    assert killed
    models, about = look_at_hub(str(hub.path), time.time(), Rights())
    assert [model.repo for model in models] == ["org/stays"]
    assert about == {}
    stored = [path for path in (hub.path / "blobs").rglob("*") if len(path.name) == 64]
    assert len(stored) == (3 if seed % 2 == 0 else 0)


def test_a_sweep_alone_deletes_no_model(hub) -> None:
    hub.add("org/gone").rename(hub.path / ".deleting-models--org--gone")
    hub.add("org/name")
    done = read_cleared(hub.run(sweep_command("i", "c")))
    assert (done.freed_bytes, done.swept_bytes) == (0, 1040)
    assert hub.names() == ["models--org--name"]


def test_deletions_of_one_hub_wait_for_each_other_and_a_sweep_does_not(hub) -> None:
    hub.add("org/name").rename(hub.path / ".deleting-models--org--name")
    hub.add("org/second")
    busy = os.open(hub.path, os.O_RDONLY)
    fcntl.flock(busy, fcntl.LOCK_EX)
    swept = read_cleared(hub.run(sweep_command("i", "c")))
    assert (swept.swept_bytes, len(hub.names())) == (0, 2)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(hub.delete, "org/second") for _ in range(2)]
        os.close(busy)
        done = [future.result() for future in waiting]
    assert sum(cleared.freed_bytes for cleared in done) == 1040
    assert sum(cleared.swept_bytes for cleared in done) == 1040
    assert hub.names() == []


def test_two_spellings_are_two_folders(hub) -> None:
    hub.add("org/name")
    hub.add("Org/Name")
    hub.delete("org/name")
    assert hub.names() == ["models--Org--Name"]


@pytest.mark.parametrize(
    "result",
    [
        RemoteResult(0, "hello", ""),
        RemoteResult(0, json.dumps({"kept": []}), ""),
        RemoteResult(1, "", "python3: not found"),
        RemoteResult(None, "", ""),
    ],
)
def test_an_answer_that_is_none_is_an_error(result) -> None:
    with pytest.raises(RemoteCommandError):
        read_cleared(result)
