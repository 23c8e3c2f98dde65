"""The pure parts of the dashboard, tested where they run: in JavaScript."""

import re
import shutil
import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from spark_gateway.dashboard_files import read_dashboard

MEMBER = Path(__file__).parents[1]
STATIC = MEMBER / "src" / "spark_gateway" / "static"
LATE = STATIC / "late"
"""Fetched when the part of the page that shows it is opened."""


def test_reducer_verdict_and_formatters_hold() -> None:
    # Where the machine has no Node.js, Playwright's own does as well.
    node = shutil.which("node") or compute_driver_executable()[0]
    tests = sorted(str(path) for path in (MEMBER / "tests" / "js").glob("*.test.js"))
    assert tests
    run = subprocess.run(
        [node, "--test", *tests],
        cwd=MEMBER,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_element_grows_beyond_a_screen_or_two() -> None:
    for path in [*STATIC.glob("elements/*.js"), *LATE.rglob("*-*.js")]:
        assert len(path.read_text().splitlines()) <= 120, path.name


def test_no_text_becomes_markup_and_nothing_is_inline() -> None:
    for path in STATIC.rglob("*.js"):
        source = path.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in source, f"{word} in {path.name}"
    for path in STATIC.rglob("*.html"):
        page = path.read_text()
        for word in ("style=", "<style", "onclick", "onload", "javascript:", "http://", "https://"):
            assert word not in page.replace("http://www.w3.org", ""), f"{word} in {path.name}"


def test_the_page_links_all_style_as_one_sheet() -> None:
    page = (STATIC / "index.html").read_text()
    assert re.findall(r'"stylesheet" href="(.*?)"', page) == ["static/css/page.css"]
    sheet = read_dashboard()["/static/css/page.css"].content
    assert sheet.startswith((STATIC / "css" / "tokens.css").read_bytes())
    for path in STATIC.glob("css/**/*.css"):
        text = path.read_bytes()
        assert sheet.count(text) == 1, path.name
        assert text.count(b"{") == text.count(b"}"), f"{path.name} swallows what follows"


def test_no_component_contains_a_colour_of_its_own() -> None:
    for path in [*STATIC.glob("css/components/*.css"), *LATE.rglob("*.css")]:
        for line in path.read_text().splitlines():
            assert "#" not in line.split("/*")[0], f"{path.name}: {line.strip()}"
            assert "rgb(" not in line, f"{path.name}: {line.strip()}"


HEADERS = 300
"""Bytes of the head of an answer, as browsers count them in `transferSize`."""
FIRST_TAB = "home"


def test_the_whole_page_is_light() -> None:
    """With everything that the first tab fetches later: below 250 kB on the wire."""
    table = read_dashboard()
    page = table["/"].content.decode()
    fetched = {f"/{path}" for path in re.findall(r'(?:href|src)="(static/[^"]+)"', page)}
    parts = re.findall(r"(\w+): \[([^\]]*)\]", (STATIC / "late.js").read_text())
    first = [part for part, tabs in parts if f'"{FIRST_TAB}"' in tabs]
    assert {"hardware", "connect"} <= set(first)
    late = {path for path in table if path.startswith("/static/late/")}
    shared = {path for path in late if path.endswith(".js") and path.count("/") == 3}
    for part in first:
        fetched |= {path for path in late if f"/late/{part}/" in path and ".md" not in path}
    fetched |= shared
    weights = [len(table["/"].packed), *(len(table[path].packed) for path in fetched)]
    assert sum(weights) + HEADERS * len(weights) < 160_000
    for path in LATE.iterdir():
        weight = sum(len(each.content) for at, each in table.items() if f"/{path.name}/" in at)
        assert weight < 95_000, path.name


def test_the_runbook_in_the_page_is_the_one_in_the_documents() -> None:
    runbook = MEMBER.parents[1] / "docs" / "RUNBOOK.md"
    assert (LATE / "hardware" / "runbook.md").read_bytes() == runbook.read_bytes()
