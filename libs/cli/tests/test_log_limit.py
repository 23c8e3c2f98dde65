"""Logs are cut while they are written, and lose nothing that is new."""

from pathlib import Path

from spark_cli.children import open_log
from spark_cli.log_limit import trim, trim_all


def test_a_log_that_grew_too_large_begins_anew_under_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "gateway.log"
    with open_log(path) as log:
        log.write(b"old\n" * 30)
        log.flush()
        trim(path, limit_bytes=100)
        log.write(b"new\n")
    assert path.read_text() == "new\n"
    assert path.with_suffix(".old.log").read_text() == "old\n" * 30


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.log"
    path.write_text("line\n")
    trim(path, limit_bytes=100)
    assert path.read_text() == "line\n"
    assert not path.with_suffix(".old.log").exists()


def test_what_was_kept_is_not_cut_again(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x" * 200)
    for _ in range(2):
        trim_all(tmp_path, limit_bytes=100)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"a.log": 0, "a.old.log": 200}
