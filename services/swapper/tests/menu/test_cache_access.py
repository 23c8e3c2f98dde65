"""Files and folders that may not be read, and models outside the cache."""

from pathlib import Path

import pytest

from spark_swapper.scan.hf_cache import Rights
from spark_swapper.scan.hf_repo import look_at_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOW = 2_000_000_000.0
TWO = "model-00002-of-00002.safetensors"


def write(path: Path, content: bytes | int) -> None:
    with path.open("wb") as stream:
        if isinstance(content, bytes):
            stream.write(content)
        else:
            stream.truncate(content)


@pytest.mark.parametrize("what", ["blobs", "snapshots", f"snapshots/{COMMIT}", "."])
def test_a_folder_nobody_may_read_is_not_an_empty_one(hubs, run_as_nobody, what) -> None:
    folder = hubs["spark1"].add("org/name")
    with run_as_nobody(hubs["spark1"].hub) as (look, forbid):
        forbid(folder / what)
        (found,) = look()["copies"]
    assert (found["state"], found["missing"]) == ("broken", ["(Permission denied)"])
    assert found["root_owned"] is True


def test_a_file_nobody_may_read_is_named(hubs, run_as_nobody) -> None:
    folder = hubs["spark1"].add("org/name")
    shard = (folder / "snapshots" / COMMIT / TWO).resolve()
    with run_as_nobody(hubs["spark1"].hub) as (look, forbid):
        forbid(shard)
        (found,) = look()["copies"]
    assert (found["state"], found["missing"]) == ("broken", [f"{TWO} (cannot be read)"])


def test_a_hub_nobody_may_read_is_a_problem_not_an_empty_disk(hubs, run_as_nobody) -> None:
    hubs["spark1"].add("org/name")
    with run_as_nobody(hubs["spark1"].hub) as (look, forbid):
        forbid(hubs["spark1"].hub)
        found = look()
    assert found["copies"] == []
    assert "Permission denied" in found["problem"]


def test_a_local_model_has_the_size_that_du_says(tmp_path) -> None:
    folder = tmp_path / "my model"
    (folder / "sub").mkdir(parents=True)
    write(folder / "model.safetensors", 5000)
    (folder / "twin").hardlink_to(folder / "model.safetensors")
    (folder / "sub" / "link").symlink_to("../model.safetensors")
    write(folder / "config.json", b'{"max_position_embeddings": 77}')
    found = look_at_folder(str(folder), NOW, Rights())
    assert found is not None
    assert found.answer({}) == {
        "repo": str(folder), "size_bytes": 5031, "state": "ready", "local": True,
        "context_length": 77,
    }  # fmt: skip
    (folder / "sub" / "dead").symlink_to("nowhere")
    again = look_at_folder(str(folder), NOW, Rights())
    assert again is not None
    assert again.answer({})["state"] == "broken"


def test_a_local_model_that_is_not_there_is_not_reported(tmp_path) -> None:
    assert look_at_folder(str(tmp_path / "nothing"), NOW, Rights()) is None
