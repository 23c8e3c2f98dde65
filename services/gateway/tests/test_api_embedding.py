"""``/api/embedding``: what is passed on, and following an installation to its end."""

import asyncio
from datetime import UTC, datetime

import pytest

from spark_common import subjects
from spark_common.bus import Serving
from spark_common.contracts.embedding import (
    CANCEL_INSTALL,
    GET_EMBEDDING,
    GET_INSTALL,
    INSTALL_EMBEDDING,
    READ_INSTALL_LOG,
    EmbeddingView,
    InstallView,
)
from spark_common.contracts.jobs import JobLog, JobState
from spark_common.errors import JobInProgressError, NotFoundError
from spark_common.events import InstallComplete, InstallProgress
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Installer:
    """Answers about the embedding server from memory."""

    def __init__(self, bus):
        self.bus = bus
        self.views = {}
        self.asked = []
        self.broken = None

    async def serve(self):
        verbs = (
            Serving(GET_EMBEDDING, self.look),
            Serving(INSTALL_EMBEDDING, self.begin),
            Serving(GET_INSTALL, self.get),
            Serving(CANCEL_INSTALL, self.get),
            Serving(READ_INSTALL_LOG, self.log),
        )
        await self.bus.serve("installer", "1.0.0", "installations of tests", verbs)

    async def look(self, request):
        return EmbeddingView(address="127.0.0.12", port=8081, container="embeddings", state="ok")

    async def begin(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        view = InstallView(
            id=request.id, requested_by=request.requested_by, state=JobState.RUNNING,
            step="copying", host="spark2", image="spark-embed:abc", created_at=NOW,
        )  # fmt: skip
        return self.views.setdefault(request.id, view)

    async def get(self, request):
        self.asked.append(request)
        if request.id not in self.views:
            raise NotFoundError(f"there is no installation {request.id!r}")
        return self.views[request.id]

    async def log(self, request):
        return JobLog(lines=["#5 FROM"])


@pytest.fixture
async def installer(bench):
    made = Installer(MemoryBus("swapper", bench.broker))
    await made.serve()
    return made


async def test_it_is_begun_once_per_key_and_says_where_it_is(bench, installer):
    assert (await bench.http.get("/api/embedding")).json()["state"] == "ok"
    headers = {"idempotency-key": "k1"}
    first = await bench.http.post("/api/embedding/install", headers=headers)
    assert first.status_code == 202
    assert first.headers["location"] == "/api/embedding/jobs/k1"
    body = {"requested_by": "Alice"}
    await bench.http.post("/api/embedding/install", headers=headers, json=body)
    assert [one.id for one in installer.asked] == ["k1", "k1"]
    assert (await bench.http.get("/api/embedding/jobs/k1/log")).json()["lines"] == ["#5 FROM"]
    gone = await bench.http.delete("/api/embedding/jobs/k1?requested_by=Bob")
    assert gone.status_code == 202
    assert installer.asked[-1].requested_by == "Bob"


async def test_what_is_in_the_way_is_a_conflict(bench, installer):
    installer.broken = JobInProgressError("an install runs already", job_id="one")
    answer = await bench.http.post("/api/embedding/install")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_in_progress")
    assert (await bench.http.get("/api/embedding/jobs/nope")).status_code == 404


async def test_an_installation_is_followed_to_its_outcome(bench, installer):
    await bench.http.post("/api/embedding/install", headers={"idempotency-key": "one"})
    progress = InstallProgress(
        job_id="one", n=1, step="building", lines=["#5 FROM"], at=NOW, what="embeddings",
        host="spark2",
    )  # fmt: skip
    done = InstallComplete(
        job_id="one", requested_by="Alice", outcome=JobState.COMPLETE, total_seconds=1,
        finished_at=NOW, what="embeddings", host="spark2",
    )  # fmt: skip
    bus = installer.bus
    await bus.publish_durable(subjects.job_progress("install", "one"), progress, id="one-1")
    await bus.publish_durable(subjects.job_complete("install", "one"), done, id="one-outcome")
    async with bench.stream("/api/embedding/jobs/one/stream") as client:
        async with asyncio.timeout(60):
            await client.task
    assert [event.name for event in client.events] == ["install.progress", "install.complete"]
    assert client.events[0].body["lines"] == ["#5 FROM"]
