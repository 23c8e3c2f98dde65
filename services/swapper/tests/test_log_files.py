"""Logs of swaps on disk: bounded, private, whole after a kill."""

import asyncio
import gzip
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.testing import FakeClock
from spark_swapper.adapters.log_files import HEAD_LINES, TAIL_LINES, LogFiles

MOST = 50_000_000
LEFT_OUT = "... lines in the middle were left out ..."


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logs" / "swaps"


def log_files(folder, most=MOST, clock=None):
    return LogFiles(folder, most, clock or FakeClock())


async def test_what_was_written_is_read_also_by_the_next_process(folder):
    logs = log_files(folder)
    logs.write("one", ["a", "b"])
    logs.write("one-more", ["z"])
    assert (await logs.read("one")).lines == ("a", "b")
    again = log_files(folder)
    again.write("one", ["c"])
    assert (await again.read("one")).lines == ("a", "b", "c")
    assert (await again.read("one-more")).lines == ("z",)
    assert await again.read("two") is None


async def test_files_and_folder_are_private(folder):
    logs = log_files(folder)
    logs.write("one", ["a"])
    assert stat.S_IMODE((folder / "one.log").stat().st_mode) == 0o600
    await logs.close("one")
    assert stat.S_IMODE((folder / "one.log.gz").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_closed_it_is_compressed_and_reads_the_same_and_may_go_on(folder):
    logs = log_files(folder)
    logs.write("one", ["a", "ü"])
    await logs.close("one")
    assert names(folder) == ["one.log.gz"]
    assert gzip.decompress((folder / "one.log.gz").read_bytes()) == "a\nü\n".encode()
    logs.write("one", ["another attempt"])
    kept = await logs.read("one")
    assert (kept.lines, kept.cut) == (("a", "ü", "another attempt"), False)
    await logs.close("one")
    assert (await logs.read("one")).lines == ("a", "ü", "another attempt")


async def test_a_long_log_keeps_its_first_and_its_last_lines(folder):
    logs = log_files(folder)
    total = HEAD_LINES + 5 * TAIL_LINES + 7
    for start in range(0, total, 1000):
        logs.write("one", [f"line {n}" for n in range(start, min(total, start + 1000))])
    kept = await logs.read("one")
    assert kept.cut
    head, tail = kept.lines[:HEAD_LINES], kept.lines[HEAD_LINES + 1 :]
    assert head == tuple(f"line {n}" for n in range(HEAD_LINES))
    assert kept.lines[HEAD_LINES] == LEFT_OUT
    assert tail[-1] == f"line {total - 1}"
    assert 8_000 <= len(tail) <= 12_000
    assert tail == tuple(f"line {n}" for n in range(total - len(tail), total))
    await logs.close("one")
    assert await log_files(folder).read("one") == kept


async def test_long_lines_are_bounded_by_their_bytes(folder):
    logs = log_files(folder)
    for _ in range(30):
        logs.write("one", ["x" * 4000] * 100)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size < 4_100_000
    assert (await logs.read("one")).cut


async def test_a_line_that_a_kill_cut_does_not_swallow_the_next(folder):
    logs = log_files(folder)
    logs.write("one", ["a"])
    with (folder / "one.log").open("ab") as file:
        file.write("hal\N{LATIN SMALL LETTER U WITH DIAERESIS}".encode()[:-1])
    assert (await logs.read("one")).lines == ("a", "hal\ufffd")
    again = log_files(folder)
    again.write("one", ["b"])
    assert (await again.read("one")).lines == ("a", "hal\ufffd", "b")


async def test_a_kill_while_compressing_leaves_one_log(folder):
    logs = log_files(folder)
    logs.write("one", ["a"])
    (folder / ".one.log.tmp").write_bytes(b"half")
    (folder / "one.log.gz").write_bytes(gzip.compress(b"a\n"))
    assert (await log_files(folder).read("one")).lines == ("a",)
    await log_files(folder).close("one")
    assert names(folder) == ["one.log.gz"]


async def test_the_oldest_logs_go_first_and_never_that_of_a_swap_that_runs(folder):
    clock = FakeClock()
    logs = log_files(folder, clock=clock)
    now = clock.now().timestamp()
    for age, name in enumerate(("newest", "older", "oldest")):
        logs.write(name, [os.urandom(400).hex()])
        await logs.close(name)
        os.utime(folder / f"{name}.log.gz", (now - age, now - age))
    logs = log_files(folder, 1_000, clock)
    logs.write("runs", ["x"])
    os.utime(folder / "runs.log", (now - 999, now - 999))
    await logs.close("newest")
    left = {name.partition(".")[0] for name in names(folder)}
    assert left == {"newest", "older", "runs"}


async def test_after_ninety_days_a_log_goes(folder):
    clock = FakeClock()
    logs = log_files(folder, clock=clock)
    now = clock.now().timestamp()
    for days, name in ((89, "kept"), (91, "gone")):
        logs.write(name, ["a"])
        await logs.close(name)
        os.utime(folder / f"{name}.log.gz", (now - days * 86_400,) * 2)
    await logs.close("kept")
    assert names(folder) == ["kept.log.gz"]


async def test_a_disk_that_takes_nothing_never_disturbs_a_swap(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    logs = log_files(tmp_path / "logs" / "swaps")
    logs.write("one", ["a"])
    await logs.close("one")
    (tmp_path / "logs").unlink()
    logs.write("one", ["b"])
    assert (await logs.read("one")).lines == ("b",)


async def test_strange_files_in_the_folder_are_left_alone(folder):
    folder.mkdir(parents=True)
    for name in ("notes.txt", "one.log.bak", "one.x.tail", ".hidden"):
        (folder / name).write_text("keep me")
    logs = log_files(folder, 1)
    logs.write("one", ["a"])
    await logs.close("one")
    assert {"notes.txt", "one.log.bak", "one.x.tail", ".hidden"} <= set(names(folder))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=50), max_size=30))
def test_any_line_stays_one_line(tmp_path_factory, lines):
    logs = log_files(tmp_path_factory.mktemp("any"))
    logs.write("one", lines)
    kept = asyncio.run(logs.read("one"))
    assert len(kept.lines if kept else ()) == len(lines)
