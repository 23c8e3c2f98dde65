"""The pure parts of the dashboard, tested where they run: in JavaScript."""

import shutil
import subprocess
from pathlib import Path

import pytest

MEMBER = Path(__file__).parents[1]
STATIC = MEMBER / "src" / "spark_gateway" / "static"
ENTRIES = ("app.js", "sign-in.js")
"""What a page itself names as its script: the dashboard, and the way in."""
LATER = STATIC / "speech"
"""What is fetched when somebody opens it, and not with the page."""
TYPES = sorted(STATIC.glob("types*.js"))
"""Read by people and by editors, never by a browser."""


def test_reducer_verdict_and_formatters_hold() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: `node --test` runs the dashboard's own tests")
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
    for path in (*STATIC.glob("elements/*.js"), *LATER.glob("*.js")):
        assert len(path.read_text().splitlines()) <= 120, path.name


def test_no_text_becomes_markup_and_nothing_is_inline() -> None:
    for path in STATIC.rglob("*.js"):
        source = path.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in source, f"{word} in {path.name}"
    page = (STATIC / "index.html").read_text()
    for word in ("style=", "<style", "onclick", "onload", "javascript:", "http://", "https://"):
        assert word not in page.replace("http://www.w3.org", ""), word


def test_the_page_preloads_every_module_and_links_every_style_sheet() -> None:
    page = (STATIC / "index.html").read_text()
    for path in set(STATIC.rglob("*.css")) - set(LATER.iterdir()):
        assert f'href="static/{path.relative_to(STATIC)}"' in page, path.name
    for path in STATIC.rglob("*.js"):
        if path.name not in ENTRIES and path not in TYPES and path.parent != LATER:
            assert f'"modulepreload" href="static/{path.relative_to(STATIC)}"' in page, path.name


def test_no_component_contains_a_colour_of_its_own() -> None:
    for path in STATIC.glob("css/components/*.css"):
        for line in path.read_text().splitlines():
            assert "#" not in line.split("/*")[0], f"{path.name}: {line.strip()}"
            assert "rgb(" not in line, f"{path.name}: {line.strip()}"


def test_the_whole_page_is_light() -> None:
    later = set(LATER.iterdir())
    fetched = [path for path in STATIC.rglob("*") if path.is_file() and path not in TYPES]
    assert sum(path.stat().st_size for path in fetched if path not in later) < 550_000
    assert sum(path.stat().st_size for path in later) < 30_000


def test_what_is_fetched_later_is_asked_for_in_one_place() -> None:
    asked = [path for path in STATIC.rglob("*.js") if "speech/" in path.read_text()]
    assert asked == [STATIC / "app.js"]
    assert 'import("./speech/panel.js")' in asked[0].read_text()
