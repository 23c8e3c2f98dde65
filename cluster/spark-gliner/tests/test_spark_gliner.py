"""The GLiNER server: every route, limit and failure, over a stand-in in plain Python."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from spark_common.testing.wait import until
from spark_gliner.app import build_app
from spark_gliner.meters import Meters
from spark_gliner.ports import BrokenModelError, Entity, OutOfMemoryError
from spark_gliner.server import Server
from spark_gliner.settings import Settings, SettingsError, read_settings
from spark_gliner.tiny import TinyTagger
from spark_gliner.windows import joined, windows

HOME = Path(__file__).parents[1]
ASK = {"text": "call Zora Quill today", "labels": ["person", "city"]}


@asynccontextmanager
async def serving(
    tagger: Any = None, **changes: Any
) -> AsyncIterator[tuple[Server, httpx.AsyncClient, list[str]]]:
    """Run a server whose model is loaded; the list says when the process would have ended."""
    ended: list[str] = []
    meters = Meters()
    server = Server(
        Settings(**changes), lambda _: tagger or TinyTagger(), meters, lambda: ended.append("end")
    )
    await server.start()
    transport = httpx.ASGITransport(build_app(server), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gliner") as http:
        yield server, http, ended
    server.stop()


async def extract(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await http.post("/v1/extract", json=ASK | changes)


async def test_strings_come_with_label_place_and_score():
    async with serving() as (_, http, _ended):
        answer = await extract(http)
        assert answer.json() == {
            "entities": [{
                "value": "Zora Quill", "suggested_label": "person", "start_position": 5,
                "end_position": 15, "score": 0.5,
            }],
            "total_entities": 1,
        }  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"
        assert (await extract(http, threshold=0.9)).json()["entities"] == []
        assert (await extract(http, text="")).json()["entities"] == []
        whole = (await extract(http, text="\U0001f600 \u00e9 Zora")).json()["entities"][0]
        assert (whole["start_position"], whole["value"]) == (4, "Zora")
        models = (await http.get("/v1/models")).json()["data"]
        assert [each["id"] for each in models] == ["tiny"]
        assert (await http.get("/health")).json() == {"status": "ok"}


async def test_a_long_text_is_read_in_windows_and_nothing_is_lost_or_told_twice():
    text = " ".join(f"word{n} of" if n % 7 else f"Name{n} Quill{n} of" for n in range(200))
    wanted = re.findall(r"Name\d+ Quill\d+", text)
    async with serving(gliner_window_words=20, gliner_overlap_words=6) as (_, http, _ended):
        told = [each["value"] for each in (await extract(http, text=text)).json()["entities"]]
        metrics = (await http.get("/metrics")).text
    assert [each for each in told if " " in each] == wanted
    assert len(told) == len(set(told)), "a window that begins within a name tells a part of it too"
    assert float(re.findall(r"^spark_gliner_windows_total (\S+)", metrics, re.M)[0]) > 20
    assert "Name7" not in metrics


def test_windows_hold_every_word_and_join_to_the_text():
    text = "  a bb-c, d\u00e9 e! " * 40
    parts = windows(text, 12, 4)
    assert all(text.startswith(each.text, each.start) for each in parts)
    assert parts[-1].start + len(parts[-1].text) == len(text.rstrip())
    assert all(a.start < b.start < a.start + len(a.text) for a, b in pairwise(parts))
    assert windows(" \n", 12, 4) == []
    seen = [(parts[0], [Entity(0, 1, "x", 0.4)]), (parts[0], [Entity(0, 1, "x", 0.8)])]
    assert joined(seen) == [Entity(2, 3, "x", 0.8)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": 7}, 400), ({"labels": []}, 400), ({"labels": "person"}, 400),
        ({"labels": [""]}, 400), ({"labels": [7]}, 400), ({"labels": ["x"] * 65}, 413),
        ({"threshold": 0}, 400), ({"threshold": "Zora"}, 400), ({"threshold": True}, 400),
        ({"text": "Zora " * 200_000}, 413),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_and_never_repeated(body, status):
    async with serving() as (_, http, _ended):
        answer = await extract(http, **body)
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "code"}
        assert "Zora" not in answer.text
        assert (await http.post("/v1/extract", content=b"{")).status_code == 400
        assert (await http.get("/v1/extract")).status_code == 405
        assert (await http.get("/docs")).status_code == 404


class FailingTagger(TinyTagger):
    """Fails as told; ``room`` is how many windows fit at once."""

    def __init__(self, error: Exception | None = None, room: int = 99) -> None:
        self.error, self.room = error, room

    def tag(self, windows, labels, threshold):
        if self.error is not None:
            raise self.error
        if len(windows) > self.room:
            raise OutOfMemoryError
        return super().tag(windows, labels, threshold)


async def test_what_does_not_fit_is_halved_until_it_does():
    text = "Zora " * 100
    tagger = FailingTagger(room=1)
    async with serving(tagger, gliner_window_words=10, gliner_overlap_words=1) as (_, http, ended):
        assert (await extract(http, text=text)).status_code == 200
        tagger.room = 0
        answer = await extract(http, text=text)
        assert (answer.status_code, answer.headers["retry-after"], ended) == (503, "5", [])
        tagger.room = 1
        assert (await extract(http)).status_code == 200


async def test_a_model_that_is_lost_ends_the_process_and_one_bad_text_does_not():
    tagger = FailingTagger(ValueError("Zora"))
    async with serving(tagger) as (_, http, ended):
        answer = await extract(http)
        assert (answer.status_code, "Zora" in answer.text, ended) == (500, False, [])
        assert (await http.get("/health")).status_code == 200
        tagger.error = BrokenModelError("Zora")
        assert ((await extract(http)).status_code, ended) == (503, ["end"])
        tagger.error = None
        later = await extract(http)
        assert (later.status_code, "Zora" in later.text) == (503, False)
        assert (await http.get("/health")).json()["status"] == "failed"


async def test_it_says_that_it_loads_and_why_it_could_not():
    def load(_: Settings) -> Any:
        raise OSError("no such repository")

    server = Server(Settings(), load, Meters())
    transport = httpx.ASGITransport(build_app(server))
    async with httpx.AsyncClient(transport=transport, base_url="http://gliner") as http:
        answer = await extract(http)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert (await http.get("/v1/models")).status_code == 503
        assert (await http.get("/health")).json() == {"status": "loading"}
        await server.start()
        assert "no such repository" in (await http.get("/health")).json()["problem"]
    server.stop()


async def test_what_may_wait_is_bounded():
    gate = threading.Event()

    class Slow(TinyTagger):
        def tag(self, windows, labels, threshold):
            gate.wait()
            return super().tag(windows, labels, threshold)

    async with serving(Slow(), gliner_waiting=2) as (server, http, _ended):
        reading = [asyncio.create_task(extract(http)) for _ in range(2)]
        await until(lambda: server.waiting == 2, "both wait")
        assert (await extract(http)).status_code == 503
        gate.set()
        assert [each.status_code for each in await asyncio.gather(*reading)] == [200, 200]
        assert (await extract(http)).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("GLINER_PORT", "x"), ("GLINER_MEMORY_GB", "0"), ("GLINER_THRESHOLD", "1"),
     ("GLINER_OVERLAP_WORDS", "250")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_named(name, value):
    assert read_settings({"GLINER_MODEL": " ", "GLINER_PORT": "9"}).gliner_port == 9
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_it_starts_as_a_program_and_refuses_what_makes_no_sense():
    env = {**os.environ, "PYTHONPATH": str(HOME / "src"), "GLINER_PORT": "no"}
    done = subprocess.run(
        [sys.executable, "-m", "spark_gliner"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "GLINER_PORT must be a number, not 'no'\n")


def test_the_image_keeps_the_base_image_s_torch_and_its_lock_has_hashes():
    held = HOME / "held.py"
    assert held.read_bytes() == (HOME.parent / "spark-embed" / "held.py").read_bytes()
    dockerfile = (HOME / "Dockerfile").read_text()
    install = next(
        row for row in dockerfile.replace("\\\n", " ").splitlines() if "pip install" in row
    )
    assert {"--target", "--no-deps", "--require-hashes"} <= set(install.split())
    order = ("held.py write", "pip install", "held.py check", "USER gliner", "CMD [")
    assert [dockerfile.index(each) for each in order] == sorted(map(dockerfile.index, order))
    for name in " ".join(re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE)).split():
        assert (HOME / name).exists(), name
    lock = (HOME / "requirements.lock").read_text()
    assert "://" not in lock
    entries = [row for row in lock.replace("\\\n", " ").splitlines() if row[:1].isalpha()]
    names = {re.split(r"[=<> ;]", entry)[0] for entry in entries}
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert {"fastapi", "gliner", "transformers", "uvicorn", "prometheus-client"} <= names
    assert not [
        each for each in names if each.startswith(("torch", "numpy", "triton", "nvidia-", "cuda-"))
    ]
