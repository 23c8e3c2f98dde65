"""Both release gates, what they need to notice, and what the core may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spark_redaction.scrub
from spark_redaction.scrub.registry import RECOGNISERS
from spark_redaction.suites import corpus, gateway, scrub_leak
from spark_redaction.suites.cases import golden
from spark_redaction.suites.offline import NetworkUsedError, no_network

CORE = Path(spark_redaction.scrub.__file__).parent


def test_nothing_leaks_and_every_recogniser_is_missed() -> None:
    with no_network():
        assert scrub_leak.leaks() == []
        assert scrub_leak.needless() == []


def test_placeholders_come_back() -> None:
    with no_network():
        assert gateway.failures() == []


def test_a_generated_corpus_is_found_and_ordinary_text_is_left_alone() -> None:
    with no_network():
        found = corpus.score()
    assert found.recall() >= corpus.RECALL
    assert found.precision >= corpus.PRECISION
    # No way of writing is a way out by itself.
    assert {of: found.missed[of] for of in found.wanted if found.recall(of) < 0.85} == {}
    assert len(found.wanted) > 40


def test_the_golden_file_has_a_hundred_cases_of_every_class() -> None:
    cases = golden()
    assert len(cases) >= 100
    assert len({case.id for case in cases}) == len(cases)
    assert {recogniser.name for recogniser in RECOGNISERS} <= {case.needs for case in cases}


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--without", "card"], 1)])
def test_the_gate_stands_alone_and_its_exit_code_says_it(arguments: list[str], code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "spark_redaction.suites.scrub_leak", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == code, ended.stdout
    assert "cases" in ended.stdout.splitlines()[-1]


def test_the_guard_stops_whoever_wants_a_network() -> None:
    import socket

    with no_network(), pytest.raises(NetworkUsedError):
        socket.create_connection(("127.0.0.1", 9))


def test_the_core_imports_the_standard_library_and_re2_alone() -> None:
    allowed = {*sys.stdlib_module_names, "re2", "spark_redaction"}
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] in allowed, (path, name)
                assert name.startswith(("spark_redaction.scrub", *allowed - {"spark_redaction"}))


def test_the_page_of_metrics_names_ours() -> None:
    page = (Path(__file__).parents[3] / "docs" / "METRICS.md").read_text("utf-8")
    for name, labels in (
        ("hidden", "type"), ("refused", "code"), ("names_sought", "outcome"), ("names_fallback", "way"),
    ):  # fmt: skip
        assert f"| `spark_redaction_{name}_total` | counter | {labels} |" in page
