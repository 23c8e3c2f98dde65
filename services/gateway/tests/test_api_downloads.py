"""``/api/downloads``: what is passed on, what is refused, and following a download to its end."""

from datetime import UTC, datetime

import pytest

from spark_common import subjects
from spark_common.bus import Serving
from spark_common.contracts.downloads import (
    CANCEL_DOWNLOAD,
    GET_DOWNLOAD,
    LIST_DOWNLOADS,
    PLAN_DOWNLOAD,
    READ_DOWNLOAD_LOG,
    START_DOWNLOAD,
    DownloadPlan,
    Downloads,
    DownloadView,
)
from spark_common.contracts.jobs import JobLog, JobState
from spark_common.errors import (
    DeadlineExceededError,
    JobInProgressError,
    ModelInUseError,
    NotFoundError,
)
from spark_common.events import DownloadComplete, DownloadFailed, DownloadProgress, UpdateProgress
from spark_common.testing import MemoryBus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPO = "org/model"


class Downloader:
    """Answers about downloads from memory, and tells of them as the swapper does."""

    def __init__(self, bus):
        self.bus = bus
        self.views = {}
        self.asked = []
        self.broken = None

    async def serve(self):
        await self.bus.serve(
            "downloader",
            "1.0.0",
            "downloads of tests",
            (
                Serving(PLAN_DOWNLOAD, self.plan),
                Serving(START_DOWNLOAD, self.start),
                Serving(GET_DOWNLOAD, self.get),
                Serving(LIST_DOWNLOADS, self.list),
                Serving(CANCEL_DOWNLOAD, self.get),
                Serving(READ_DOWNLOAD_LOG, self.log),
            ),
        )

    async def plan(self, request):
        return DownloadPlan(repo=request.repo, total_bytes=7, size_source="hub")

    async def start(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        self.begin(request.id, request.repo)
        return self.views[request.id]

    async def get(self, request):
        if request.id not in self.views:
            raise NotFoundError("there is no such download")
        return self.views[request.id]

    async def list(self, request):
        running = [view for view in self.views.values() if not view.over]
        return Downloads(running=running, recent=list(self.views.values())[: request.limit])

    async def log(self, request):
        return JobLog(lines=["Fetching 5 files"])

    def begin(self, job_id, repo=REPO):
        self.views[job_id] = DownloadView(
            id=job_id,
            requested_by="Alice",
            state=JobState.RUNNING,
            step="fetching",
            created_at=NOW,
            repo=repo,
        )

    async def step(self, job_id, n, previous=None):
        event = DownloadProgress(
            job_id=job_id, n=n, step="fetching", previous_step=previous, at=NOW, repo=REPO
        )
        await self.bus.publish_durable(
            subjects.job_progress("download", job_id), event, id=f"{job_id}:{n}"
        )

    async def finish(self, job_id, state=JobState.COMPLETE):
        self.views[job_id] = self.views[job_id].model_copy(update={"state": state})
        done = state is JobState.COMPLETE
        kind, subject = (
            (DownloadComplete, subjects.job_complete)
            if done
            else (DownloadFailed, subjects.job_failed)
        )
        event = kind(
            job_id=job_id,
            requested_by="Alice",
            outcome=state,
            total_seconds=2.0,
            finished_at=NOW,
            repo=REPO,
        )
        await self.bus.publish_durable(subject("download", job_id), event, id=f"{job_id}:end")


def numbers(client):
    return [event.body["n"] for event in client.named("download.progress")]


@pytest.fixture
async def downloader(bench):
    made = Downloader(MemoryBus("swapper", bench.broker))
    await made.serve()
    return made


async def test_an_order_is_passed_on_and_answered_202(bench, downloader):
    body = {"repo": REPO, "hosts": ["spark1", "spark2"], "requested_by": "Alice"}
    answer = await bench.http.post(
        "/api/downloads", json=body, headers={"Idempotency-Key": "my-key"}
    )
    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/downloads/my-key"
    assert answer.json()["repo"] == REPO
    (asked,) = downloader.asked
    assert (asked.id, asked.hosts, asked.requested_by) == ("my-key", ["spark1", "spark2"], "Alice")


@pytest.mark.parametrize(
    "body",
    [
        {"repo": REPO},
        {"repo": REPO, "hosts": []},
        {"repo": "no-slash", "hosts": ["spark1"]},
        {"repo": "--flag/x", "hosts": ["spark1"]},
        {"repo": "a/b/c", "hosts": ["spark1"]},
        {"repo": "a/../b", "hosts": ["spark1"]},
        {"repo": "a/b\n", "hosts": ["spark1"]},
        {"repo": "http://192.0.2.7/x", "hosts": ["spark1"]},
        {"repo": REPO, "hosts": ["spark0"]},
        {"repo": REPO, "hosts": ["spark1; rm -rf /"]},
        {"repo": REPO, "hosts": ["spark1"], "id": "a b"},
        {"repo": REPO, "hosts": ["spark1"], "token": "hf_x"},
    ],
)
async def test_what_is_no_order_is_refused_before_anybody_is_asked(bench, downloader, body):
    answer = await bench.http.post("/api/downloads", json=body)
    assert answer.status_code == 422
    assert downloader.asked == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (JobInProgressError("it runs already", job_id="d1"), 409, "job_in_progress"),
        (ModelInUseError("it is being deleted just now"), 409, "model_in_use"),
    ],
)
async def test_refusals_keep_their_code_and_details(bench, downloader, error, status, code):
    downloader.broken = error
    answer = await bench.http.post("/api/downloads", json={"repo": REPO, "hosts": ["spark1"]})
    assert answer.status_code == status
    assert (answer.json()["code"], answer.json()["details"]) == (code, dict(error.details))


async def test_an_answer_that_is_late_names_the_key_to_repeat(bench, downloader):
    downloader.broken = DeadlineExceededError("no answer within 4 s")
    answer = await bench.http.post(
        "/api/downloads",
        json={"repo": REPO, "hosts": ["spark1"]},
        headers={"Idempotency-Key": "k-1"},
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert answer.json()["details"] == {"job_id": "k-1"}
    assert "Idempotency-Key: k-1" in answer.json()["detail"]


async def test_reading(bench, downloader):
    downloader.begin("d1")
    plan = await bench.http.post("/api/downloads/plan", json={"repo": REPO})
    assert (plan.status_code, plan.json()["total_bytes"]) == (200, 7)
    listed = await bench.http.get("/api/downloads")
    assert [view["id"] for view in listed.json()["running"]] == ["d1"]
    assert (await bench.http.get("/api/downloads/d1")).json()["repo"] == REPO
    assert (await bench.http.get("/api/downloads/d1/log")).json()["lines"] == ["Fetching 5 files"]
    assert (await bench.http.delete("/api/downloads/d1")).status_code == 202
    for path in ("/api/downloads/d2", "/api/downloads/d2/stream"):
        assert (await bench.http.get(path)).status_code == 404


async def test_a_download_is_followed_resumed_and_over(bench, downloader, eventually):
    downloader.begin("d1")
    await downloader.step("d1", 1)
    async with bench.stream("/api/downloads/d1/stream") as client:
        await eventually(lambda: numbers(client) == [1])
        await downloader.step("other", 1)
        await bench.swapper.step("d1", 1)
        await downloader.step("d1", 2)
        await downloader.finish("d1")
        await eventually(lambda: client.ended)
    assert [event.name for event in client.events] == [
        "download.progress",
        "download.progress",
        "download.complete",
    ]
    first, last = client.events[0].id, client.events[-1].id
    async with bench.stream("/api/downloads/d1/stream", last_event_id=first) as again:
        await eventually(lambda: again.ended)
    assert [event.name for event in again.events] == ["download.progress", "download.complete"]
    done = await bench.http.get("/api/downloads/d1/stream", headers={"Last-Event-ID": last})
    assert done.status_code == 204


@pytest.mark.parametrize("foreign", ["pmemory-1-1", "qother-1", "qmemory-1-99", "rubbish"])
async def test_an_id_of_another_stream_starts_again(bench, downloader, eventually, foreign):
    downloader.begin("d1")
    await downloader.step("d1", 1)
    async with bench.stream("/api/downloads/d1/stream", last_event_id=foreign) as client:
        await eventually(lambda: numbers(client) == [1])
    assert client.events[0].name == "reset"


async def test_a_download_that_ended_long_ago_has_nothing_to_tell(bench, downloader):
    downloader.begin("d1")
    downloader.views["d1"] = downloader.views["d1"].model_copy(update={"state": JobState.FAILED})
    assert (await bench.http.get("/api/downloads/d1/stream")).status_code == 204


async def test_a_dashboard_sees_downloads_and_updates_in_its_picture_and_after_it(
    bench, downloader, eventually
):
    downloader.begin("d1")
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        picture = client.named("snapshot")[-1].body
        assert picture["updates"] is None
        await downloader.step("d1", 1, previous="checking")
        await eventually(lambda: client.named("download.progress"))
        update = UpdateProgress(job_id="u1", n=1, step="pulling", at=NOW)
        await downloader.bus.publish_durable("update.progress.u1", update, id="u1:1")
        await eventually(lambda: client.named("update.progress"))
        await downloader.finish("d1", JobState.FAILED)
        await eventually(lambda: client.named("download.failed"))
        await eventually(
            lambda: any(not event.body["running"] for event in client.named("downloads"))
        )
    async with bench.stream("/api/live") as later:
        await eventually(lambda: later.named("snapshot"))
    downloads = later.named("snapshot")[-1].body["downloads"]
    assert [view["state"] for view in downloads["recent"]] == ["failed"]
