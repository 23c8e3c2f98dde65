"""The journal counts on, whatever a kill left of its files."""

from pathlib import Path

import pytest

from spark_sim.journal import Journal


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    last = first.add("spark1", "container_started", id="a").seq
    first.close()
    again = Journal(tmp_path)
    assert [entry.kind for entry in again.after(0)] == ["container_started"]
    assert again.add("spark1", "container_stopped").seq == last + 1


@pytest.mark.parametrize("mark", ["", "12x"])
def test_a_damaged_mark_or_line_does_not_stop_the_simulator(tmp_path: Path, mark: str) -> None:
    first = Journal(tmp_path)
    numbers = [first.add("spark1", kind).seq for kind in ("container_started", "ssh_command")]
    (tmp_path / "journal.mark").write_text(mark)
    with (tmp_path / "journal.jsonl").open("ab") as stream:
        stream.write(b'5\n{"seq": \n\xff\xfe')
    again = Journal(tmp_path)
    assert [entry.kind for entry in again.after(0)] == ["container_started"]
    assert again.add("spark1", "container_stopped").seq > max(numbers)
