"""What the benchmark of the menu's look plants: as many files as it says, for both layouts."""

import runpy
from pathlib import Path

import pytest

# The benchmarks are no package of the workspace; this one needs nothing but Python.
plant = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks/menu_scan/plant.py"))["plant"]


@pytest.mark.parametrize(("models", "files", "expected"), [(4, 200, 200), (3, 100, 99), (2, 2, 14)])
def test_files_are_files_and_no_links(tmp_path, models, files, expected):
    assert plant(tmp_path, models, files) == expected
    entries = list(tmp_path.rglob("*"))
    names = [path for path in entries if path.is_symlink() and path.parent.name != "blobs"]
    planted = [
        path
        for path in entries
        if path.is_file() and not path.is_symlink() and path.parent.name != "refs"
    ]
    assert (len(planted), len(names)) == (expected, expected)
    assert {path.parent.name for path in planted} > {"blobs"}
    assert all(path.resolve().is_file() for path in names)
