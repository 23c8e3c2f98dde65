import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteResult
from spark_swapper.scan import DiskCopy, Look, look_command, read_look


def look(home: Path, **environment: str) -> Look:
    """Run the script as a Spark does: from standard input, by a bare Python."""
    command = look_command()
    assert command.argv[0] == "python3"
    done = subprocess.run(
        [sys.executable, "-S", "-E", *command.argv[1:]],
        input=command.stdin,
        capture_output=True,
        check=False,
        env={"HOME": str(home), "PATH": os.environ["PATH"], **environment},
    )
    return read_look(RemoteResult(done.returncode, done.stdout.decode(), done.stderr.decode()))


def only(found: Look) -> DiskCopy:
    assert len(found.copies) == 1
    return found.copies[0]


@pytest.mark.parametrize("shared_store", [False, True])
def test_a_whole_model_is_ready_and_has_its_true_size(hubs, shared_store) -> None:
    hubs["spark1"].add("org/name", shards=3, shard_bytes=2_000_000, shared_store=shared_store)
    copy = only(look(hubs["spark1"].home))
    assert (copy.repo, copy.state, copy.missing) == ("org/name", "ready", ())
    assert 6_000_000 <= copy.size_bytes < 6_001_000
    assert copy.context_length == 4096


def test_one_repository_that_makes_no_sense_hides_no_other(hubs) -> None:
    folder = hubs["spark1"].add("org/name", shards=1)
    (snapshot,) = (folder / "snapshots").iterdir()
    index = snapshot / "model.safetensors.index.json"
    # Half a letter: JSON can say it, UTF-8 cannot.
    index.resolve().write_text('{"weight_map": {"a": "\\ud800.bin"}}')
    hubs["spark1"].add("org/other")
    copies = {copy.repo: copy for copy in look(hubs["spark1"].home).copies}
    assert copies["org/name"].missing == ("\ufffd\ufffd\ufffd.bin",)
    assert copies["org/other"].state == "ready"


@pytest.mark.parametrize("length", [0, -1, 10**30, 4096.5, "4096", True, None, [4096]])
def test_a_length_that_is_none_is_not_told(hubs, length) -> None:
    hubs["spark1"].add("org/name", config={"max_position_embeddings": length})
    assert only(look(hubs["spark1"].home)).context_length is None


@pytest.mark.parametrize("index", [True, False])
def test_a_missing_shard_makes_it_incomplete(hubs, index) -> None:
    hubs["spark1"].add("org/name", shards=3, present=2, index=index)
    copy = only(look(hubs["spark1"].home))
    assert copy.state == "incomplete"
    assert copy.missing == ("model-00003-of-00003.safetensors",)


def test_a_file_that_is_being_written_is_a_download(hubs) -> None:
    hubs["spark1"].add("org/name", shards=3, present=1)
    hubs["spark1"].add_partial("org/name", 500_000)
    copy = only(look(hubs["spark1"].home))
    assert (copy.state, copy.incomplete_bytes) == ("downloading", 500_000)


@pytest.mark.parametrize("age_seconds", [3600, -3600])
def test_an_abandoned_partial_file_is_no_download(hubs, age_seconds) -> None:
    """One from the future was left by a clock that was ahead."""
    hubs["spark1"].add("org/name", shards=3, present=1)
    hubs["spark1"].add_partial("org/name", 500_000, age_seconds=age_seconds)
    assert only(look(hubs["spark1"].home)).state == "incomplete"


def test_links_without_their_store_are_broken(hubs) -> None:
    """This is what copying the folder alone to a second Spark leaves behind."""
    folder = hubs["spark1"].add("org/name", shared_store=True)
    for stored in (hubs["spark1"].hub / "blobs").rglob("*"):
        if stored.is_file():
            stored.unlink()
    copy = only(look(hubs["spark1"].home))
    assert folder.exists()
    assert copy.state == "broken"
    assert copy.size_bytes < 1000


def test_a_repository_without_a_snapshot_says_so(hubs) -> None:
    (hubs["spark1"].hub / "models--org--name" / "blobs").mkdir(parents=True)
    assert only(look(hubs["spark1"].home)).state == "no_snapshot"


def test_a_snapshot_without_weights_is_incomplete(hubs) -> None:
    hubs["spark1"].add("org/name", present=0, index=False)
    assert only(look(hubs["spark1"].home)).missing == ("(no weight file)",)


def test_the_context_length_may_be_nested(hubs) -> None:
    config = {"text_config": {"max_position_embeddings": 262144}, "max_position_embeddings": 1}
    hubs["spark1"].add("org/name", config=config)
    assert only(look(hubs["spark1"].home)).context_length == 262144


def test_what_is_no_model_is_left_alone(hubs) -> None:
    hub = hubs["spark1"].hub
    for name in ("datasets--org--name", ".locks", "models--bad name"):
        (hub / name).mkdir(parents=True)
    (hub / "models--linked--away").symlink_to("/")
    (hub / "models--a-file--x").write_text("")
    assert look(hubs["spark1"].home).copies == ()


def test_damaged_json_is_no_reason_to_fail(hubs) -> None:
    folder = hubs["spark1"].add("org/name")
    (folder / "blobs" / "configjson").write_text("{not json")
    copy = only(look(hubs["spark1"].home))
    assert (copy.state, copy.context_length) == ("ready", None)


def test_no_cache_at_all_is_an_empty_disk(tmp_path) -> None:
    found = look(tmp_path)
    assert found.copies == ()
    assert found.problem is None
    assert found.disk_total_bytes
    assert found.disk_total_bytes > (found.disk_free_bytes or 0) > 0


def test_the_cache_may_be_elsewhere(hubs, tmp_path) -> None:
    hubs["spark2"].add("org/name")
    home = hubs["spark2"].home / ".cache" / "huggingface"
    assert only(look(tmp_path, HF_HOME=str(home))).repo == "org/name"
    assert only(look(tmp_path, HF_HUB_CACHE=str(home / "hub"))).repo == "org/name"


def test_disk_and_memory_are_what_the_sparks_own_programs_say(tmp_path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    said = {
        "df": "Filesystem 1-blocks Used Available Capacity Mounted on\n"
        "/dev/nvme0n1p2 983349346304 336077062144 597000000000 37% /",
        "cat": "MemTotal:       125442868 kB\nMemFree:        115454464 kB\n"
        "MemAvailable:   115789005 kB\nHugePages_Total:       0",
    }
    for name, text in said.items():
        (programs / name).write_text(f"#!/bin/sh\nprintf '%s\\n' '{text}'\n")
        (programs / name).chmod(0o755)
    found = look(tmp_path, PATH=f"{programs}:{os.environ['PATH']}")
    assert found.disk_total_bytes == 983349346304
    assert found.disk_free_bytes == 597000000000
    assert found.memory_total_bytes == 125442868 * 1024
    assert found.memory_available_bytes == 115789005 * 1024


def test_programs_that_fail_leave_the_numbers_out(tmp_path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("df", "cat"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    found = look(tmp_path, PATH=f"{programs}:{os.environ['PATH']}")
    assert (found.disk_free_bytes, found.memory_total_bytes) == (None, None)


def test_a_banner_before_the_answer_does_no_harm(hubs) -> None:
    hubs["spark1"].add("org/name")
    answer = look(hubs["spark1"].home).model_dump_json()
    assert only(read_look(RemoteResult(0, f"Welcome to DGX OS\n{answer}\n", ""))).repo == "org/name"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (RemoteResult(0, "hello", ""), "unreadable"),
        (RemoteResult(0, json.dumps({"hub": "x"}), ""), "unreadable"),
        (RemoteResult(127, "", "bash: python3: command not found\n"), "python3: command not found"),
        (RemoteResult(None, "", ""), "the disk scan failed"),
    ],
)
def test_an_answer_that_is_none_is_an_error_with_the_reason(result, said) -> None:
    with pytest.raises(RemoteCommandError, match=said):
        read_look(result)


def test_the_script_refuses_to_do_anything_else(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-", "delete", "models--x"],
        input=look_command().stdin,
        capture_output=True,
        check=False,
        env={"HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stdout == b""


def test_one_configuration_nested_too_deeply_hides_no_other_model(hubs) -> None:
    hubs["spark1"].add("org/fine")
    folder = hubs["spark1"].add("org/odd")
    (snapshot,) = (folder / "snapshots").iterdir()
    (snapshot / "config.json").resolve().write_text("[" * 100_000)
    found = look(hubs["spark1"].home)
    assert {copy.repo: copy.context_length for copy in found.copies} == {
        "org/fine": 4096,
        "org/odd": None,
    }
