"""The audit of dependencies fails for what is known, and for nothing that is only away."""

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts/audit.py"))
CLEAN = {"name": "anyio", "version": "4.0", "vulns": []}
FLAWED = {
    "name": "h11",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}],
}
STRANGE = {"name": "idna", "skip_reason": "Dependency not found"}
FAILED_LOOKUP = "requests.exceptions.ConnectionError: Failed to resolve a name"


@pytest.fixture
def audited(tmp_path, monkeypatch, capsys):
    """Run the audit with a program that answers so, and without npm."""
    monkeypatch.setitem(
        SCRIPT["main"].__globals__, "shutil", type("", (), {"which": lambda _: None})
    )

    def run(packages: object, words: str = "", code: int = 0) -> tuple[int, str]:
        answer = "" if packages is None else json.dumps({"dependencies": packages})
        (tmp_path / "answer").write_text(answer)
        (tmp_path / "words").write_text(words)
        program = tmp_path / "pip-audit"
        program.write_text(
            f"#!/bin/sh\ncat {tmp_path}/answer\ncat {tmp_path}/words >&2\nexit {code}\n"
        )
        program.chmod(0o755)
        return SCRIPT["main"](str(program)), capsys.readouterr().out

    return run


def test_what_is_clean_passes(audited) -> None:
    code, said = audited([CLEAN, STRANGE])
    assert code == 0
    assert "no known vulnerability in 1 packages, 1 it does not know" in said


def test_a_known_vulnerability_fails_and_is_named_with_its_repair(audited) -> None:
    code, said = audited([CLEAN, FLAWED], "Found 1 known vulnerability", 1)
    assert code == 1
    assert "h11 0.1: PYSEC-1, repaired in 0.2" in said


@pytest.mark.parametrize(
    ("packages", "words"),
    [
        (None, f"Traceback\n{FAILED_LOOKUP}\n"),
        ([STRANGE, STRANGE], "No known vulnerabilities found"),
    ],
)
def test_a_database_that_cannot_be_reached_passes_and_says_so(audited, packages, words) -> None:
    code, said = audited(packages, words, 1)
    assert code == 0
    assert "not audited, the advisory database cannot be reached" in said
    assert "no known vulnerability" not in said


def test_a_broken_audit_is_no_pass(audited) -> None:
    with pytest.raises(SystemExit, match="pip-audit does not work: no such option"):
        audited(None, "no such option: --requirement", 2)
