"""Files are replaced whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from spark_common.whole_file import OURS_ALONE, write_whole


@pytest.mark.parametrize(("mode", "there"), [(OURS_ALONE, 0o600), (0o664, 0o664), (None, 0o640)])
def test_a_file_is_made_and_replaced_with_its_permissions(
    tmp_path: Path, mode: int | None, there: int
) -> None:
    path = tmp_path / "kept.yaml"
    path.with_name("kept.yaml.draft").write_text("left behind by a power cut, and longer")
    umask = os.umask(0o027)
    try:
        for content in (b"first", b"2"):
            write_whole(path, content, mode)
            assert path.read_bytes() == content
            assert stat.S_IMODE(path.stat().st_mode) == there
            assert list(tmp_path.iterdir()) == [path]
    finally:
        os.umask(umask)


def test_what_cannot_be_written_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.yaml"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "x", b"new")


def test_file_and_folder_are_on_the_disk_before_anybody_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.yaml"
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(_name(fd)))
    write_whole(path, b"x")
    assert synced == [f"{path}.draft", str(tmp_path)]


def _name(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())
