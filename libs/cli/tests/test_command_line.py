"""What a person may give `demo` and `up`, and the one line when it cannot be used."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from spark_cli.__main__ import main
from spark_cli.up import read_env_file


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "99999"], "--port"),
        (["--control-port", "0"], "--control-port"),
        (["--speed", "0"], "--speed"),
        (["--service-ports", "1,2"], "must be 5 ports: coordinator, swapper"),
        (["--service-ports", "a,2,3,4,5"], "'a' is not a valid integer"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], says: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["demo", "--run-dir", str(tmp_path / "run"), *arguments])
    assert answer.exit_code == 2
    assert says in answer.output


def test_a_run_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    answer = CliRunner().invoke(main, ["demo", "--run-dir", str(taken)])
    assert answer.exit_code == 1
    assert f"{taken} cannot be used: File exists" in answer.output
    assert len(answer.output.splitlines()) == 1


def test_an_env_file_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "\ufeffSPARK1_HOST=spark.lan  # the one below the desk\r\n"
        "\n# comment\nexport SPARK1_USER = alice\n"
        "A='x # y' # z\nB=\"q\"\nC=a#b\nD=\nE='open\n",
        encoding="utf-8",
        newline="",
    )
    assert read_env_file(path) == {
        "SPARK1_HOST": "spark.lan",
        "SPARK1_USER": "alice",
        "A": "x # y",
        "B": "q",
        "C": "a#b",
        "D": "",
        "E": "'open",
    }


def test_an_env_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "odd").write_text("SPARK1_HOST=a\nSPARK1_USER alice\n")
    for name, says in (("binary", "not UTF-8"), ("odd", "line 2 is not NAME=value")):
        with pytest.raises(click.ClickException, match=says):
            read_env_file(tmp_path / name)
    with pytest.raises(click.ClickException, match="cannot be read: Is a directory"):
        read_env_file(tmp_path)
