"""The examples of docs/EMBEDDINGS.md, as they stand there, against servers that listen."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from spark_common.testing.documents import shown_answer, unlike
from spark_sim.standing_in import standing_in

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "EMBEDDINGS.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(sh|python) run\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.connected


async def run(language: str, code: str, environment: dict[str, str]) -> str:
    argv = ["bash", "-eu"] if language == "sh" else [sys.executable, "-"]
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(code.encode())
    assert process.returncode == 0, f"{code}\n{out.decode()}\n{err.decode()}"
    return out.decode()


def documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


async def test_every_example_does_what_the_page_says(bench):
    async with (
        standing_in(bench.embed) as embed,
        standing_in(bench.qdrant) as qdrant,
        standing_in(bench.front.http) as gateway,
    ):
        environment = os.environ | {
            "SPARK": f"http://127.0.0.1:{gateway}",
            "EMBED": f"http://127.0.0.1:{embed}",
            "QDRANT": f"http://127.0.0.1:{qdrant}",
            "no_proxy": "127.0.0.1",
        }
        said = [await run(language, code, environment) for language, code in EXAMPLES]
    dense, both, weights, ranked, made, filled, found, kept = said
    assert [len(row["embedding"]) for row in json.loads(dense)["data"]] == [1024, 1024]
    assert json.loads(both)["data"][0]["sparse_embedding"]["indices"]
    assert unlike(shown_answer(ROOT, "docs/EMBEDDINGS.md"), json.loads(both)) == []
    assert json.loads(weights)[0][0].keys() == {"index", "value"}
    assert [row["index"] for row in json.loads(ranked)["results"]] == [1]
    assert json.loads(made)["result"] is True
    assert filled == "ok\n"
    (hit,) = json.loads(found)["hits"]
    assert hit["payload"]["text"] == "Paris is the capital of France."
    assert json.loads(found)["degraded"] == []
    collections, taken, listed = documents(kept)
    assert collections["collections"][0]["points"] == 3
    assert listed["snapshots"] == [taken["snapshot"]]
