"""The picture in the documents is the table in the code."""

from pathlib import Path

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.diagram import BLOCK, diagram
from spark_swapper.records.jobs import TRANSITIONS

ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"


def test_the_documented_diagram_is_current() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert BLOCK.within(text) == text


def test_every_move_is_drawn_once() -> None:
    drawn = [line.split(" --> ") for line in diagram().splitlines() if " --> " in line]
    moves = {(a.strip(), b) for a, b in drawn if a.strip() != "[*]" and b != "[*]"}
    assert moves == {(p.value, n.value) for p in Phase for n in TRANSITIONS[p]}


def test_a_changed_table_is_noticed_and_written(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    old = ARCHITECTURE.read_text(encoding="utf-8").replace("queued --> preflight", "queued --> ?")
    document.write_text(old, encoding="utf-8")
    assert BLOCK.main(["--check", str(document)]) == 1
    assert BLOCK.main([str(document)]) == 0
    assert BLOCK.main(["--check", str(document)]) == 0


def test_a_document_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place"):
        BLOCK.within("nothing")
