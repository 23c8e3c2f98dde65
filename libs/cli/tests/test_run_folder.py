"""The run folder and the addresses: one clear line for each thing in the way."""

import json
import socket
from pathlib import Path

import pytest

from spark_cli.addresses import Listener, problems
from spark_cli.run_folder import FolderInUseError, RunFolder


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.open()
    with pytest.raises(FolderInUseError, match=r"already runs in .* use --run-dir"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_only_the_owner_may_look_inside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.open()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.sub("a", "b").stat().st_mode & 0o777 == 0o700
    folder.close()


def test_what_is_announced_is_gone_when_it_stops(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.open()
    folder.announce({"gateway": "http://127.0.0.1:9999"})
    announced = json.loads((folder.path / "running.json").read_text())
    assert announced == {"gateway": "http://127.0.0.1:9999"}
    folder.close()
    assert not (folder.path / "running.json").exists()


@pytest.mark.connected
def test_a_taken_port_is_one_line_that_names_the_part() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert problems([Listener("gateway", "127.0.0.1", port)]) == [
            f"127.0.0.1:{port} is taken, gateway cannot listen there: stop what uses it"
        ]


@pytest.mark.connected
def test_an_address_that_is_not_here_is_told_once() -> None:
    (line,) = problems(
        [Listener("simulator", "192.0.2.1", 1), Listener("simulator", "192.0.2.1", 2)]
    )
    assert line.startswith("192.0.2.1 is not an address of this machine")
