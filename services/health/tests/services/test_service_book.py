"""``services.yaml``: what people write into it, what of it is used, and what a change leaves."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.services import CustomService
from spark_common.errors import ConflictError, NotFoundError, UnavailableError
from spark_health.services import yaml_text
from spark_health.services.book import MOST, YamlServices

EDITED = """\
# my services

comfy:
    kind: http          # the one upstairs
    host: spark2
    port: "8188"
    container: comfyui
# asks nobody
bot: {kind: bot, container: my-bot, user: alice}
other-model:
  kind: vllm
  port: 8889
"""

METADATA = ".".join(map(str, (169, 254, 169, 254)))


@pytest.fixture
def book(tmp_path):
    return YamlServices(tmp_path)


def entry(name="new", **fields):
    return CustomService.model_validate({"name": name, "kind": "http", "port": 80, **fields})


def test_what_a_person_wrote_is_read(book):
    book.path.write_text(EDITED)
    listed = book.read()
    assert listed.problems == ()
    assert [(one.name, one.kind, one.port) for one in listed.services] == [
        ("comfy", "http", 8188), ("bot", "bot", None), ("other-model", "vllm", 8889)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x: {kind: http}", "needs a port"),
        ("x: {kind: ftp, port: 1}", "kind"),
        ("x: {kind: bot}", "needs its container"),
        ("x: {kind: bot, container: a, port: 80}", "has no port"),
        ("x: {kind: http, port: 80, prot: 81}", "prot"),
        ("x: {kind: http, port: 99999}", "port"),
        ("x: {kind: http, port: 80, host: 'a b'}", "host"),
        ("x: {kind: http, port: 80, host: 'a;id'}", "host"),
        ("x: {kind: http, port: 80, host: '1.2.3'}", "IP address"),
        (f"x: {{kind: http, port: 80, host: '{METADATA}'}}", "link-local"),
        ("x: {kind: http, port: 80, host: 'fd00:ec2::254'}", "clouds"),
        ("x: {kind: http, port: 80, host: '0.0.0.0'}", "no address of any machine"),
        ("x: {kind: http, port: 80, path: 'http://elsewhere'}", "path"),
        ("x: {kind: http, port: 80, container: '-v /:/x'}", "container"),
        ('x: {kind: http, port: 80, container: "a\\nb"}', "container"),
        ("x: {kind: http, port: 80, user: '$(id)'}", "user"),
        ('x: {kind: http, port: 80, label: "a\\nb"}', "label"),
        ("'X Y': {kind: http, port: 80}", "name"),
        ("on: {kind: http, port: 80}", "'True'"),
        ("7: {kind: http, port: 80}", "'7'"),
        ("x: just words", "must be fields"),
        ("x:", "must be fields"),
        ("x: {1: 2}", "'x'"),
        ("x: {kind: http, port: 80}\nx: {kind: http, port: 81}", "twice"),
    ],
)
def test_a_bad_entry_is_named_and_the_others_count(book, text, named):
    book.path.write_text(f"good: {{kind: http, port: 80}}\n{text}\n")
    listed = book.read()
    assert listed.services[0].name == "good"
    assert any(named in problem for problem in listed.problems), listed.problems
    assert all(len(problem) < 300 for problem in listed.problems)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n", "a: [", "\tx: 1", "just words", "a: &x {kind: http}\nb: *x\n",
        "{" * 3000, "- " * 50_000, "x: " + "[" * 2000, "a" * 300_000,
        "a: !!python/object:os.system {}\n", "? {a: b}\n: c\n", "<<: {a: b}\n<<: 1\n",
    ],
)  # fmt: skip
async def test_a_file_that_is_none_keeps_what_was_known_and_is_not_written_over(book, text):
    book.path.write_text("good: {kind: http, port: 80}\n")
    assert len(book.read().services) == 1
    book.path.write_text(text)
    listed = book.read()
    assert listed.problems
    if not any("cannot be read" in problem for problem in listed.problems):
        return
    assert [one.name for one in listed.services] == ["good"]
    with pytest.raises(ConflictError, match="Put it right"):
        await book.put(entry(), replace=False)
    assert book.path.read_text() == text


def test_bytes_that_are_no_text(book):
    book.path.write_bytes(b"\xff\xfe\x00x: 1")
    assert "cannot be read" in book.read().problems[0]


async def test_a_change_leaves_the_comments_of_a_person(book):
    book.path.write_text(EDITED)
    await book.put(entry("new", host="spark1", label="Mine"), replace=False)
    await book.drop("comfy")
    text = book.path.read_text()
    assert "# my services" in text
    assert "# asks nobody" in text
    assert "comfy" not in text
    assert [one.name for one in book.read().services] == ["bot", "other-model", "new"]
    with pytest.raises(ConflictError, match="already"):
        await book.put(entry("new"), replace=False)
    await book.put(entry("new", port=81), replace=True)
    assert [one.port for one in book.read().services] == [None, 8889, 81]
    with pytest.raises(NotFoundError):
        await book.drop("comfy")


async def test_a_bad_entry_of_a_person_stays_through_a_change_and_can_be_removed(book):
    book.path.write_text("odd: {kind: nothing}\n")
    await book.put(entry(), replace=False)
    assert "odd: {kind: nothing}" in book.path.read_text()
    await book.drop("odd")
    assert book.read().problems == ()


async def test_changes_at_once_are_all_there_and_there_is_an_end_to_them(book):
    await asyncio.gather(*(book.put(entry(f"s{n}"), replace=False) for n in range(20)))
    assert len(book.read().services) == 20
    text = "".join(f"t{n}: {{kind: http, port: 80}}\n" for n in range(MOST + 5))
    book.path.write_text(text)
    assert len(book.read().services) == MOST
    with pytest.raises(ConflictError, match="remove one"):
        await book.put(entry(), replace=False)


async def test_a_folder_that_cannot_be_written_to_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="data folder"):
        await YamlServices(tmp_path / "file").put(entry(), replace=False)


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True)
ROWS = st.tuples(NAMES, st.booleans(), st.integers(1, 9))


@settings(max_examples=60)
@given(st.lists(ROWS, max_size=6, unique_by=lambda row: row[0]), NAMES, st.booleans())
def test_taking_out_and_putting_in_touch_nothing_else(rows, name, comment):
    text = ""
    for key, flow, port in rows:
        head = f"# about {key}\n\n" if comment else ""
        body = f"{{port: {port}}}\n" if flow else f"\n    port: {port}\n    # inside\n"
        text += f"{head}{key}: {body}"
    before = yaml_text.read(text)[0]
    without = yaml_text.without_entry(text, name)
    assert yaml_text.read(without)[0] == {k: v for k, v in before.items() if k != name}
    added = yaml_text.with_entry(text, name, {"port": 1})
    assert yaml_text.read(added)[0] == {**before, name: {"port": 1}}
    if name not in before:
        assert without == text
        assert added.startswith(text)
