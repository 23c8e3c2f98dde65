"""Pages and pictures that are made from the code are those that the code makes now."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from spark_common.bus.diagram import BLOCK, diagram, edges, overlap
from spark_common.errors import SparkError
from spark_common.owner import TABLE
from spark_swapper.loads.failure_signs import KILLED, SIGNS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def script(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def headings(page: str) -> set[str]:
    return set(re.findall(r"^### (\w+)$", (DOCS / page).read_text(), re.MULTILINE))


def test_every_failure_class_has_its_anchor() -> None:
    failures = script("failures_doc")
    assert failures.PAGE.read_text() == failures.written()
    assert {one.code for one in (*SIGNS, KILLED)} <= headings("FAILURES.md")
    # The other ways in which a code is written down in the sources.
    assert {"stalled", "pull_failed", "low_memory_aborted", "other_image"} <= headings(
        "FAILURES.md"
    )


def refusals(error: type[SparkError]) -> set[str]:
    codes = {error.code}
    return codes.union(*(refusals(one) for one in error.__subclasses__()))


def test_every_refusal_is_in_the_table_of_the_page() -> None:
    page = (DOCS / "FAILURES.md").read_text()
    codes = {code for code in refusals(SparkError) if f"`{code}`" not in page}
    assert codes == set()


FIELDS = {"model", "loading"}
"""Names of fields of a refusal, which stand before its code or instead of one."""


def literals(called: str) -> set[str]:
    """Return the codes that stand in the sources of the gateway where something is refused."""
    found: set[str] = set()
    for path in (ROOT / "services" / "gateway" / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        calls = re.finditer(rf"\b{called}\((?:[^()\"]|\([^()]*\))*?\"(\w+)\"", text)
        found |= {call[1] for call in calls}
    return found - FIELDS


def test_every_refusal_under_v1_is_in_the_table_of_the_page() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "FAILURES.md").read_text(), re.MULTILINE))
    seen = literals("_?refuse") | literals("Rejection")
    assert {"model_loading", "gpu_reserved", "rate_limit_exceeded", "invalid_api_key"} <= seen
    assert seen <= named
    assert {"model_load_failed", "model_load_cancelled"} <= named


def test_every_code_of_an_error_of_a_service_is_in_the_table_of_the_page() -> None:
    page = (DOCS / "FAILURES.md").read_text()
    codes = {
        code
        for path in ROOT.glob("services/*/src/**/*.py")
        for code in re.findall(r'^    code(?:: [^=]+)? = "(\w+)"$', path.read_text(), re.MULTILINE)
    }
    assert {code for code in codes if f"`{code}`" not in page} == set()
    assert codes


def test_the_picture_of_the_bus_is_that_of_the_permissions() -> None:
    text = (DOCS / "architecture.md").read_text()
    assert BLOCK.within(text) == text
    arrows = set(edges())
    assert ("gateway", "swapper", "asks") in arrows
    assert ("swapper", "automation", "swap") in arrows
    assert {arrow[1] for arrow in arrows if arrow[0] == "redaction"} == {"automation"}
    assert diagram().count("-->") == len({arrow[:2] for arrow in arrows})
    assert overlap("a.*", "a.b")
    assert overlap("a.>", "a.b.c")
    assert not overlap("a.b", "a.b.c")
    assert not overlap("a.b", "a.c")


def test_the_migration_guide_names_every_variable_that_an_owner_has() -> None:
    page = (DOCS / "migration.md").read_text()
    assert [field.name for field in TABLE.fields if f"`{field.name}`" not in page] == []


def test_every_relative_link_of_a_page_leads_somewhere() -> None:
    broken = []
    for page in (*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *(ROOT / "startos").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not target.startswith(("http", "mailto")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_benchmark_is_in_the_report_and_every_one_named_exists() -> None:
    named = set(re.findall(r"-m benchmarks\.([\w.]+)", (DOCS / "performance.md").read_text()))
    folder = ROOT / "benchmarks"
    whole = {path.name for path in folder.iterdir() if any(path.glob("*.py"))}
    assert whole <= {name.partition(".")[0] for name in named}
    places = {name: folder.joinpath(*name.split(".")) for name in named}
    missing = [
        name
        for name, place in places.items()
        if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists())
    ]
    assert missing == []
