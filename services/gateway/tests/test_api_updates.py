"""``/api/updates``: what is passed on, what is refused, and following an update to its end."""

from datetime import UTC, datetime

import pytest

from spark_common import subjects
from spark_common.bus import Serving
from spark_common.contracts.jobs import JobLog, JobState
from spark_common.contracts.updates import (
    APPLY_UPDATES,
    CANCEL_UPDATE,
    GET_UPDATE_JOB,
    GET_UPDATES,
    READ_UPDATE_LOG,
    REVERT_UPDATES,
    CheckoutState,
    Updates,
    UpdateView,
)
from spark_common.errors import (
    ConflictError,
    JobInProgressError,
    LeaseHeldError,
    NotFoundError,
    SwapInProgressError,
)
from spark_common.events import UpdateComplete, UpdateProgress
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Updater:
    """Answers about updates from memory."""

    def __init__(self, bus):
        self.bus = bus
        self.views = {}
        self.asked = []
        self.broken = None

    async def serve(self):
        verbs = (
            Serving(GET_UPDATES, self.list),
            Serving(APPLY_UPDATES, self.begin),
            Serving(REVERT_UPDATES, self.begin),
            Serving(GET_UPDATE_JOB, self.get),
            Serving(CANCEL_UPDATE, self.get),
            Serving(READ_UPDATE_LOG, self.log),
        )
        await self.bus.serve("updater", "1.0.0", "updates of tests", verbs)

    async def list(self, request):
        self.asked.append(request)
        spark1 = CheckoutState(host="spark1", label="Spark 1", directory="d", behind=4)
        return Updates(checkouts=[spark1], can_apply=True)

    async def begin(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        view = UpdateView(
            id=request.id,
            requested_by=request.requested_by,
            state=JobState.RUNNING,
            step="checking",
            created_at=NOW,
        )
        self.views[request.id] = view
        return view

    async def get(self, request):
        if request.id not in self.views:
            raise NotFoundError(f"there is no update {request.id!r}")
        return self.views[request.id]

    async def log(self, request):
        await self.get(request)
        return JobLog(lines=["Copy complete."])


@pytest.fixture
async def updater(bench):
    made = Updater(MemoryBus("swapper", bench.broker))
    await made.serve()
    return made


async def test_what_is_pending_is_passed_on(bench, updater):
    answer = await bench.http.get("/api/updates")
    assert (answer.status_code, answer.json()["checkouts"][0]["behind"]) == (200, 4)
    await bench.http.get("/api/updates?refresh=true")
    assert True in [request.refresh for request in updater.asked]
    assert (await bench.http.get("/api/updates?refresh=maybe")).status_code == 422


@pytest.mark.parametrize("what", ["apply", "revert"])
async def test_a_job_begins_with_a_key_a_token_and_a_location(bench, updater, what):
    answer = await bench.http.post(
        f"/api/updates/{what}",
        json={"requested_by": "Alice"},
        headers={"idempotency-key": "one", "x-swap-lock-token": "secret"},
    )
    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/updates/jobs/one"
    # The page's own board asks beside us what is pending.
    (request,) = [one for one in updater.asked if hasattr(one, "lock_token")]
    assert (request.id, request.requested_by) == ("one", "Alice")
    assert request.lock_token.get_secret_value() == "secret"
    assert "secret" not in answer.text
    bare = await bench.http.post(f"/api/updates/{what}")
    assert bare.status_code == 202


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConflictError("Spark 1 has local changes"), 409),
        (SwapInProgressError("a swap is not over yet", swap_id="s"), 409),
        (JobInProgressError("a download is running", job_id="d"), 409),
        (LeaseHeldError("'nightly' holds the cluster", holder="nightly"), 423),
    ],
)
async def test_a_refusal_is_told_as_it_is(bench, updater, error, status):
    updater.broken = error
    answer = await bench.http.post("/api/updates/apply", json={"hosts": ["spark1"]})
    assert (answer.status_code, answer.json()["code"]) == (status, error.code)
    assert answer.json()["detail"] == error.message


@pytest.mark.parametrize(
    "body", [{"hosts": ["x; reboot"]}, {"hosts": "spark1"}, {"id": "a/b"}, {"more": 1}, [], "x"]
)
async def test_a_wrong_body_begins_nothing(bench, updater, body):
    asked = len(updater.asked)
    answer = await bench.http.post("/api/updates/apply", json=body)
    assert answer.status_code == 422
    assert not [request for request in updater.asked[asked:] if hasattr(request, "hosts")]


async def test_one_update_can_be_read_stopped_and_followed(bench, updater):
    await bench.http.post("/api/updates/apply", json={"id": "one"})
    assert (await bench.http.get("/api/updates/jobs/one")).json()["step"] == "checking"
    assert (await bench.http.get("/api/updates/jobs/one/log")).json()["lines"]
    assert (await bench.http.delete("/api/updates/jobs/one")).status_code == 202
    for path in ("jobs/two", "jobs/two/log", "jobs/two/stream"):
        assert (await bench.http.get(f"/api/updates/{path}")).status_code == 404
    step = UpdateProgress(job_id="one", n=1, step="pulling", lines=["x: Pulling fs layer"], at=NOW)
    done = UpdateComplete(
        job_id="one",
        requested_by="Alice",
        outcome=JobState.COMPLETE,
        message="Updated.",
        total_seconds=3,
        finished_at=NOW,
    )
    bus = updater.bus
    await bus.publish_durable(subjects.job_progress("update", "one"), step, id="one:1")
    await bus.publish_durable(subjects.job_complete("update", "one"), done, id="one:outcome")
    async with bench.stream("/api/updates/jobs/one/stream") as client:
        await client.task
    assert [event.name for event in client.events] == ["update.progress", "update.complete"]
    assert client.events[0].body["lines"] == ["x: Pulling fs layer"]
