"""The owner's file read and replaced whole, as an export and an import of all state do it."""

from pathlib import Path

import pytest

from spark_common.contracts.overrides import ReadOverrides, WriteOverrides
from spark_common.errors import ConflictError, InvalidRequestError
from spark_swapper.editing.overriding import OverrideVerbs
from spark_swapper.recipes import Recipes
from spark_swapper.recipes.document import MAX_BYTES

MINE = "# Zürich, mine\nmodels:\n  mine: {name: Mine, repo: alice/mine}\n"
OTHER = "models:\n  other: {name: Other, repo: bob/other}\n  wrong: {typo: 1}\n"
LETTER = "模"


class Desk:
    """The verbs on a file, and how often somebody was told of a change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipes = Recipes(path)
        self.told = 0
        self.verbs = OverrideVerbs(self.recipes, self._changed)

    async def read(self) -> str:
        return (await self.verbs.read(ReadOverrides())).text

    async def write(self, text: str) -> list[str]:
        return (await self.verbs.write(WriteOverrides(text=text))).problems

    def backups(self) -> list[str]:
        return sorted(one.name for one in self.path.parent.iterdir() if one != self.path)

    async def _changed(self) -> None:
        self.told += 1


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data" / "models.override.yaml")


async def test_what_was_written_is_read_and_served(desk: Desk) -> None:
    assert await desk.read() == ""
    assert await desk.write(MINE) == []
    assert await desk.read() == MINE
    assert desk.recipes.book.with_key("mine") is not None
    assert (desk.told, desk.backups()) == (1, [])


async def test_what_was_there_is_kept_beside_it_once(desk: Desk) -> None:
    await desk.write(MINE)
    [problem] = await desk.write(OTHER)
    assert "'wrong' is left out" in problem
    assert desk.recipes.book.with_key("mine") is None
    assert desk.recipes.book.with_key("other") is not None
    assert desk.path.with_name("models.override.yaml.bak").read_text() == MINE
    await desk.write(OTHER)
    assert desk.backups() == ["models.override.yaml.bak"]


@pytest.mark.parametrize(
    "text",
    ["models: [", "models: 1\n", "- a\n", f"models: {{}} # {LETTER * (MAX_BYTES // 3)}"],
    ids=["damaged", "no mapping", "a list", "more bytes than are read"],
)
async def test_a_file_of_which_nothing_could_be_used_replaces_nothing(
    desk: Desk, text: str
) -> None:
    await desk.write(MINE)
    with pytest.raises(InvalidRequestError, match="nothing was saved"):
        await desk.write(text)
    assert await desk.read() == MINE
    assert desk.recipes.book.with_key("mine") is not None
    assert (desk.told, desk.backups()) == (1, [])


@pytest.mark.parametrize("content", [b"models: \xff\xfe", b"#" * (MAX_BYTES + 1)])
async def test_a_file_that_cannot_be_read_is_not_taken_along_as_none(
    desk: Desk, content: bytes
) -> None:
    desk.path.parent.mkdir()
    desk.path.write_bytes(content)
    with pytest.raises(ConflictError, match=r"models\.override\.yaml cannot be read"):
        await desk.read()
    await desk.write(MINE)
    assert await desk.read() == MINE
    assert desk.path.with_name("models.override.yaml.bak").read_bytes() == content
