"""The page's modules as few files: the same modules, each once, in the same order."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from spark_gateway.dashboard_files import read_dashboard
from spark_gateway.dashboard_modules import join_modules, named, read_module

ENTRANCE = "/static/entrance.js"
"""Of the dashboard, and of the page to sign in, which is another one."""
STATIC = Path(__file__).parents[1] / "src" / "spark_gateway" / "static"
SOURCES = {
    "/static/early.js": 'console.log("early");\nexport const opened = ["line"];\n',
    "/static/words.js": (
        'console.log("words");\nlet said = 0;\n'
        "export function say(word) {\n  said += 1;\n  console.log(word, said);\n}\n"
        "export async function later() {\n  return said;\n}\n"
        "export class Card {\n  static title = 'a card';\n}\n"
    ),
    "/static/elements/all.js": (
        'import {\n  Card,\n  say,\n} from "../words.js";\nsay(`${Card.name}, ${Card.title}`);\n'
    ),
    "/static/app.js": (
        'import "./elements/all.js";\nimport { opened } from "./early.js";\n'
        'import { later, say } from "./words.js";\nconst said = "app";\n'
        "say(said);\nsay(opened[0]);\n"
        'import("./late/one/index.js")\n  .then(({ begin }) => begin())\n'
        '  .then(() => import("./late/two/index.js"))\n  .then(({ begin }) => begin());\n'
    ),
    "/static/late/made.js": 'console.log("made");\nexport const made = { times: 0 };\n',
    "/static/late/one/index.js": 'export { begin } from "./acts.js";\n',
    "/static/late/one/acts.js": (
        'import { say } from "../../words.js";\nimport { made } from "../made.js";\n'
        "export function begin() {\n  made.times += 1;\n  say(`begun ${made.times}`);\n}\n"
    ),
    "/static/late/two/index.js": (
        'import { later } from "../../words.js";\nimport { made } from "../made.js";\n'
        "export async function begin() {\n  made.times += 1;\n"
        "  console.log(`begun ${made.times}`, await later());\n}\n"
    ),
}
"""A page as small as one with everything in it can be."""


def _run(folder: Path, files: dict[str, str], entry: str) -> list[str]:
    """Return what the modules say, as a JavaScript engine runs them."""
    for path, text in {**files, "/package.json": '{"type": "module"}'}.items():
        place = folder / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    node = compute_driver_executable()[0]
    run = subprocess.run([node, folder / entry[1:]], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_joined_modules_do_what_they_did_apart(tmp_path: Path) -> None:
    joined, gone = join_modules(SOURCES)
    left = {path: text for path, text in SOURCES.items() if path not in gone} | joined
    assert sorted(left) == [
        "/static/early.js",
        "/static/late/made.js",
        "/static/late/one/index.js",
        "/static/late/two/index.js",
        "/static/page.js",
    ]
    said = _run(tmp_path / "joined", left, "/static/page.js")
    apart = _run(tmp_path / "apart", SOURCES, "/static/app.js")
    # What needs nothing else may come first; a part that comes when it is opened is last.
    assert sorted(said) == sorted(apart)
    assert said == [
        *("early", "words", "Card, a card 1", "app 2", "line 3"),
        *("made", "begun 1 4", "begun 2 4"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "export let changed = 1;",
        "export default function () {}",
        'import * as words from "./words.js";',
        'import words from "./words.js";',
        'export * from "./words.js";',
    ],
)
def test_what_cannot_be_joined_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="cannot be joined"):
        read_module("/static/app.js", f"// a module\n{line}\n")


def test_a_circle_of_modules_is_refused() -> None:
    words = 'import "./elements/all.js";\n' + SOURCES["/static/words.js"]
    with pytest.raises(ValueError, match=r"all\.js needs itself"):
        join_modules(SOURCES | {"/static/words.js": words})


def test_every_module_of_the_page_is_sent_once() -> None:
    """One that came twice would be two: two states, and elements that have their name already."""
    table = read_dashboard()
    scripts = {path: each.content.decode() for path, each in table.items() if path.endswith(".js")}
    for source in STATIC.rglob("*.js"):
        path = f"/static/{source.relative_to(STATIC)}"
        called = f"\nconst {named(path)} = (() => {{\n"
        places = [at for at, text in scripts.items() if called in text]
        whole = path in scripts and scripts[path] == source.read_text()
        if path == ENTRANCE:
            assert (len(places), whole) == (1, True)
        else:
            assert len(places) + whole == 1, path


def test_what_is_a_file_of_its_own_is_no_part_of_the_dashboard() -> None:
    table = read_dashboard()
    page = table["/"].content.decode()
    assert re.findall(r'<script type="module"(?: async)? src="(.*?)"', page) == [
        "static/early.js",
        "static/page.js",
    ]
    files = {path for path in table if path.endswith(".js")}
    late = {path for path in files if re.fullmatch(r"/static/late/\w+/index\.js", path)}
    shared = {path for path in files if re.fullmatch(r"/static/late/[\w-]+\.js", path)}
    types = {path for path in files if path.startswith("/static/types")}
    other = {ENTRANCE, "/static/sign-in.js", "/static/late/status/renew.js"}
    assert files - late - shared - types - other == {"/static/early.js", "/static/page.js"}
