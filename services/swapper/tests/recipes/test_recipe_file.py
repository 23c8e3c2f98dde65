"""The owner's file: saves change the lines of one entry, and nothing a person wrote is lost."""

import asyncio
import os
import subprocess
import sys
from collections import UserDict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.errors import ConflictError, UnavailableError
from spark_swapper.recipes import Recipes
from spark_swapper.recipes.own_file import OwnFile
from spark_swapper.recipes.own_text import HEADER, with_entry

pytestmark = pytest.mark.connected

WRITTEN = """\
# mine, all mine
models:

  # the good one
  good: {name: Good, repo: alice/good}   # keep this

  wrong:
    name: Wrong
    typo: 1
    # a note inside

  gpt-oss-120b:
    extra_args: [--max-model-len=65536]

# the end
"""
FIELDS = {"repo": "alice/new", "name": "New", "args": ["--seed=1"], "env": {"A": "1"}}


def entries(text: str) -> dict[str, object]:
    return (yaml.safe_load(text) or {}).get("models") or {}


def test_a_new_file_explains_itself_and_has_its_fields_in_order() -> None:
    text = with_entry("", "new", FIELDS).text
    assert text == (
        f"{HEADER}\nmodels:\n  new:\n    name: New\n    repo: alice/new\n    env:\n"
        "      A: '1'\n    args:\n      - --seed=1\n"
    )
    assert with_entry(text, "other", FIELDS).text.startswith(text)


def test_a_new_entry_leaves_every_line_that_was_there() -> None:
    edited = with_entry(WRITTEN, "new", FIELDS)
    assert not edited.lost
    kept = [line for line in edited.text.splitlines() if line in WRITTEN.splitlines()]
    assert kept == WRITTEN.splitlines()
    assert entries(edited.text) == {**entries(WRITTEN), "new": FIELDS}


def test_an_exchanged_entry_leaves_the_others_and_keeps_its_notes() -> None:
    edited = with_entry(WRITTEN, "wrong", FIELDS)
    assert not edited.lost
    assert "# a note inside" in edited.text
    assert "good: {name: Good, repo: alice/good}   # keep this" in edited.text
    assert entries(edited.text) == {**entries(WRITTEN), "wrong": FIELDS}


def test_a_removed_entry_takes_only_its_own_lines() -> None:
    edited = with_entry(WRITTEN, "gpt-oss-120b", None)
    assert set(entries(edited.text)) == {"good", "wrong"}
    assert edited.text.endswith("# the end\n")
    last = with_entry(with_entry(edited.text, "good", None).text, "wrong", None)
    assert entries(last.text) == {}


def test_a_comment_that_cannot_be_kept_is_told() -> None:
    assert with_entry(WRITTEN, "good", FIELDS).lost
    assert with_entry("models: {a: {x: 1}} # mine\n", "b", FIELDS).lost
    assert with_entry("models: {}\nmore: 1\n", "b", FIELDS).lost
    assert not with_entry(f"{HEADER}\nmodels: {{}}\n", "b", FIELDS).lost


@pytest.mark.parametrize(
    "text",
    [
        "models: {a: {name: A}}\n",
        "models:\n    a:\n        name: A\n    b: [1, 2]\n",
        "models:\n  a: &x {name: A, args: ['# no comment']}\n  b: *x\n",
        "models:\n  a:\n    name: |\n      # text\n\n      more\n  b: text",
        "---\nmodels:\n  7: {name: Seven}\n",
        'models:\r\n  a:\r\n    name: "x"\r\n',
        "{models: {a: {name: A}}}",
        "other: 1\nmodels:\n  a: {x: 1}\nlast: 2\n",
        "models:\n  a: {x: 1}\n  a: {x: 2}\n",
        "models:\n  'q': {x: 1}\n  \"a b\": {x: 2}\n",
        "models:\n",
        "models: ~\n",
        "# only a comment\n",
    ],
)
def test_whatever_the_shape_of_the_file_the_other_entries_stay(text: str) -> None:
    before = {str(key): one for key, one in entries(text).items()}
    for key in ("new", *before):
        changed = with_entry(text, key, FIELDS).text
        found = {str(name): value for name, value in entries(changed).items()}
        assert found == {**before, key: FIELDS}
        gone = with_entry(changed, key, None).text
        rest = {name: value for name, value in before.items() if name != key}
        assert {str(name): value for name, value in entries(gone).items()} == rest


@pytest.mark.parametrize(
    ("first", "line", "text"),
    [
        ("a/1", 3, "models:\n  a: {name: A, repo: a/1}\n  a: {name: B, repo: a/2}\n"),
        ("a/1", 3, "models:\n  7: {name: A, repo: a/1}\n  '7': {name: B, repo: a/2}\n"),
        ("a/1", 2, "models: {a: {name: A, repo: a/1}}\nmodels: {b: {name: B, repo: a/2}}\n"),
        ("--x", 5, "models:\n  a:\n    args: [--x]\n    repo: a/1\n    args: [--y]\n    name: A\n"),
    ],
)
async def test_what_stands_twice_is_said_and_no_save_loses_the_first(
    tmp_path, first, line, text
) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_text(text)
    recipes = Recipes(path)
    (problem,) = recipes.book.problems
    assert f"stands there again in line {line}; the last one counts" in problem
    for key, fields in (("new", FIELDS), ("new", None), ("a", None)):
        await recipes.change(lambda book, key=key, fields=fields: (key, fields))
    assert first in "".join(one.read_text() for one in tmp_path.iterdir())


_KEYS = st.text("abcz019._-", min_size=1, max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**18) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_ENTRY = st.dictionaries(
    st.text("abcnmr_", min_size=1, max_size=6), _VALUES, min_size=1, max_size=4
)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(_KEYS, st.none() | _ENTRY), max_size=5))
def test_any_row_of_saves_ends_with_exactly_the_entries_saved(changes) -> None:
    text, wanted = "", {}
    for key, fields in changes:
        text = with_entry(text, key, fields).text
        wanted.pop(key, None) if fields is None else wanted.update({key: fields})
        assert {str(name): one for name, one in entries(text).items()} == wanted


def test_the_file_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_text(WRITTEN)
    path.chmod(0o640)
    calls: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (calls.append("fsync"), real(number))[1])
    OwnFile(path).write("new", FIELDS)
    assert calls == ["fsync", "fsync"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["models.override.yaml"]


def test_what_was_lost_is_kept_beside_it_every_time(tmp_path: Path) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_text(WRITTEN)
    OwnFile(path).write("good", FIELDS)
    assert (tmp_path / "models.override.yaml.bak").read_text() == WRITTEN
    path.write_text(WRITTEN + "# second\n")
    OwnFile(path).write("good", None)
    assert (tmp_path / "models.override.yaml.bak").read_text() == WRITTEN
    assert (tmp_path / "models.override.yaml.bak2").read_text() == WRITTEN + "# second\n"


@pytest.mark.parametrize(
    "content",
    [
        b"models: [",
        b"\tx",
        b"just a sentence",
        b"- a\n- b\n",
        b"models: 7\n",
        b"model: {}\n",
        b"\xff\xfe\x00",
        b"[" * 5000,
        b"a: 2026-99-99\n",
        b"models: {a: " + b"9" * 5000 + b"}\n",
        b"models: {a: &x {name: A, more: *x}}\n",
        b"models: &all\n  a: {name: A, repo: a/b, env: *all}\n",
        b"models:\n  a0: &a0 [x]\n"
        + b"".join(
            f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 30)
        ),
    ],
)
async def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path: Path, content) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_bytes(content)
    recipes = Recipes(path)
    assert recipes.book.problems
    with pytest.raises(ConflictError, match="nothing was saved"):
        await recipes.change(lambda book: ("new", FIELDS))
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


async def test_a_folder_that_refuses_is_said_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    recipes = Recipes(tmp_path / "data" / "models.override.yaml")
    with pytest.raises(UnavailableError, match="could not be written"):
        await recipes.change(lambda book: ("new", FIELDS))
    assert recipes.book.with_key("new") is None


async def test_saves_at_the_same_time_all_stay(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "models.override.yaml"
    first, second = Recipes(path), Recipes(path)

    def saving(recipes: Recipes, number: int):
        fields = {"name": str(number), "repo": f"alice/m{number}"}
        return recipes.change(lambda book: (f"m{number}", fields))

    await asyncio.gather(*(saving((first, second)[n % 2], n) for n in range(12)))
    first.notice()
    second.notice()
    for recipes in (first, second):
        assert {one.key for one in recipes.book.recipes if one.key not in recipes.book.bundled} == {
            f"m{number}" for number in range(12)
        }


async def test_a_change_by_hand_is_noticed_and_survives_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "models.override.yaml"
    recipes = Recipes(path)
    assert not recipes.notice()
    path.write_text(WRITTEN)
    assert recipes.notice()
    assert not recipes.notice()
    assert recipes.book.with_key("good") is not None
    assert any("'wrong' is left out" in problem for problem in recipes.book.problems)
    path.write_text(WRITTEN.replace("Good", "Better"))
    book = await recipes.change(lambda seen: ("new", {"name": "New", "repo": "alice/new"}))
    assert [book.with_key(key).name for key in ("good", "new")] == ["Better", "New"]
    assert "typo: 1" in path.read_text()
    path.unlink()
    assert recipes.notice()
    assert recipes.book.with_key("good") is None


async def test_what_a_person_writes_during_a_save_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_text(WRITTEN)
    by_hand = WRITTEN.replace("Good", "Better")

    class WrittenMeanwhile(UserDict[str, object]):
        """Fields; when the save looks at them, the file has been read already."""

        def __iter__(self):
            path.write_text(by_hand)
            return super().__iter__()

    with pytest.raises(ConflictError, match="changed by somebody else just now"):
        await Recipes(path).change(lambda book: ("new", WrittenMeanwhile(FIELDS)))
    assert path.read_text() == by_hand
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "mine.yaml"
    real.parent.mkdir()
    real.write_text(WRITTEN)
    path = tmp_path / "models.override.yaml"
    path.symlink_to(real)
    await Recipes(path).change(lambda book: ("new", {"name": "New", "repo": "alice/new"}))
    assert path.is_symlink()
    assert "alice/new" in real.read_text()


def test_a_killed_save_leaves_a_whole_file_and_the_next_one_works(tmp_path: Path) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_text(WRITTEN)
    program = (
        "import sys, pathlib\n"
        "from spark_swapper.recipes.own_file import OwnFile\n"
        "file = OwnFile(pathlib.Path(sys.argv[1]))\n"
        "for number in range(10**6):\n"
        "    file.write('new', {'name': 'N' * 60, 'repo': 'a/b', 'args': ['--x'] * 500})\n"
        "    file.write('new', None)\n"
        "    print(number, flush=True)\n"
    )
    for lines in (1, 2, 3):
        command = [sys.executable, "-c", program, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
        document = OwnFile(path).read()
        assert document.unreadable is None
        assert set(entries(WRITTEN)) <= set(document.entries)
    OwnFile(path).write("last", FIELDS)
    assert OwnFile(path).read().entries["last"] == FIELDS
    assert "# mine, all mine" in path.read_text()
