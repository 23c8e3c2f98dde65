"""The report of the chaos runs says what happened, what failed as well."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts/reliability.py"))
GOOD = """<testsuites><testsuite timestamp="2026-01-02T03:04:05">
<testcase name="test_no_delivery_is_lost_and_every_id_is_constant" time="12.4"><properties>
<property name="seed" value="7"/><property name="fault nats" value="3"/>
<property name="events" value="500"/></properties></testcase>
<testcase name="test_that_noted_nothing" time="1"/>
</testsuite></testsuites>"""
BAD = """<testsuites><testsuite timestamp="2026-01-03T03:04:05">
<testcase name="test_what_was_given_is_there_after_a_power_cut" time="1">
<failure message="a | secret"/></testcase>
<testcase name="test_elsewhere" time="1"><skipped message="takes root"/></testcase>
</testsuite></testsuites>"""


def test_the_table_has_seeds_faults_counts_and_failures(tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text(GOOD)
    (tmp_path / "bad.xml").write_text(BAD)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{SCRIPT['BEGIN']}\nold\n{SCRIPT['END']}\nafter\n")
    SCRIPT["main"](str(tmp_path), str(page))
    text = page.read_text()
    assert text.startswith("before\n<!-- chaos: begin -->\n3 runs on 2026-01-02 and 2026-01-03")
    assert ": 1 passed, 2 did not." in text
    row = "| G8 | `test_no_delivery_is_lost_and_every_id_is_constant` | 7 | 3 nats | events 500 |"
    assert f"{row} 12 s | passed |" in text
    assert (
        "| G3 | `test_what_was_given_is_there_after_a_power_cut` |  |  |  | 1 s | **FAILED** |"
        in text
    )
    assert "| scale | `test_elsewhere` |  |  |  | 1 s | skipped: takes root |" in text
    assert "old" not in text
    assert text.endswith("\nafter\n")


def test_a_run_made_anew_replaces_its_own_row_and_no_other(tmp_path: Path) -> None:
    def line(promise: str, test: str, seed: str, outcome: str) -> str:
        return f"| {promise} | `{test}` | {seed} |  |  | 9 s | {outcome} |"

    of_another = line("G8", "test_no_delivery_is_lost_and_every_id_is_constant", "8", "passed")
    before = [
        "9 runs on 2025-12-31, reported at `abc`: some.",
        line("G8", "test_no_delivery_is_lost_and_every_id_is_constant", "7", "**FAILED**"),
        of_another,
        line("G8", "test_no_delivery_is_lost_and_every_id_is_constant", "", "**FAILED**"),
    ]
    (tmp_path / "good.xml").write_text(GOOD)
    page = tmp_path / "page.md"
    page.write_text("\n".join([SCRIPT["BEGIN"], *before, SCRIPT["END"]]))
    SCRIPT["main"](str(tmp_path), str(page))
    text = page.read_text()
    assert "2 runs on 2025-12-31 and 2026-01-02" in text
    assert ": 2 passed, 0 did not." in text
    assert of_another in text
    assert "FAILED" not in text


def test_a_page_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(SystemExit):
        SCRIPT["main"](str(tmp_path), str(page))
    assert page.read_text() == "no marks"


def test_every_test_it_knows_by_name_exists() -> None:
    sources = [
        path.read_text() for path in ROOT.glob("*/**/test_*.py") if ".venv" not in path.parts
    ]
    missing = [name for name in SCRIPT["PROMISES"] if not any(f"def {name}(" in s for s in sources)]
    assert missing == []
