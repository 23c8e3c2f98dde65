"""``/api/speech-models``: what is passed on, and following a job to its end."""

import asyncio
from datetime import UTC, datetime

import pytest

from spark_common import subjects
from spark_common.bus import Serving
from spark_common.contracts.jobs import JobLog, JobState
from spark_common.contracts.speech_models import (
    CANCEL_SPEECH_JOB,
    GET_SPEECH_JOB,
    GET_SPEECH_MODELS,
    READ_SPEECH_LOG,
    REAPPLY_SPEECH,
    RESTART_SPEECH,
    UNDO_SPEECH,
    SpeechHealth,
    SpeechJobView,
    SpeechModels,
)
from spark_common.errors import LeaseHeldError, NotFoundError, SwapInProgressError
from spark_common.events import OverlayComplete, OverlayProgress
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PLACE = "/api/speech-models"


class Carer:
    """Answers about the speech container from memory."""

    def __init__(self, bus):
        self.bus = bus
        self.views = {}
        self.asked = []
        self.broken = None

    async def serve(self):
        orders = {"reapply": REAPPLY_SPEECH, "undo": UNDO_SPEECH, "restart": RESTART_SPEECH}
        verbs = [Serving(rpc, self.beginner(action)) for action, rpc in orders.items()]
        verbs += [
            Serving(GET_SPEECH_MODELS, self.look),
            Serving(GET_SPEECH_JOB, self.get),
            Serving(CANCEL_SPEECH_JOB, self.get),
            Serving(READ_SPEECH_LOG, self.log),
        ]
        await self.bus.serve("carer", "1.0.0", "speech of tests", verbs)

    def beginner(self, action):
        async def begin(request):
            self.asked.append((action, request))
            if self.broken is not None:
                raise self.broken
            view = SpeechJobView(
                id=request.id, requested_by=request.requested_by, state=JobState.RUNNING,
                step="copying", host="spark1", container="parakeet-asr", action=action,
                created_at=NOW,
            )  # fmt: skip
            return self.views.setdefault(request.id, view)

        return begin

    async def look(self, request):
        return SpeechModels(
            address="127.0.0.11", port=8000, container="parakeet-asr", state="drift",
            health=SpeechHealth(state="ready"),
        )  # fmt: skip

    async def get(self, request):
        self.asked.append(("get", request))
        if request.id not in self.views:
            raise NotFoundError(f"there is no overlay {request.id!r}")
        return self.views[request.id]

    async def log(self, request):
        return JobLog(lines=["main.py: kept"])


@pytest.fixture
async def carer(bench):
    made = Carer(MemoryBus("health", bench.broker))
    await made.serve()
    return made


@pytest.mark.parametrize("action", ["reapply", "undo", "restart"])
async def test_an_order_is_given_once_per_key_and_says_where_its_job_is(bench, carer, action):
    assert (await bench.http.get(PLACE)).json()["state"] == "drift"
    headers = {"idempotency-key": "k1", "x-swap-lock-token": "t" * 43}
    first = await bench.http.post(f"{PLACE}/{action}", headers=headers)
    assert first.status_code == 202
    assert first.headers["location"] == f"{PLACE}/jobs/k1"
    (asked,) = carer.asked
    assert (asked[0], asked[1].id) == (action, "k1")
    assert asked[1].lock_token.get_secret_value() == "t" * 43
    assert (await bench.http.get(f"{PLACE}/jobs/k1/log")).json()["lines"] == ["main.py: kept"]
    assert (await bench.http.get(f"{PLACE}/jobs/nope")).status_code == 404
    gone = await bench.http.delete(f"{PLACE}/jobs/k1?requested_by=Bob")
    assert gone.status_code == 202
    assert carer.asked[-1][1].requested_by == "Bob"


async def test_what_is_in_the_way_is_said(bench, carer):
    carer.broken = SwapInProgressError("a swap to A runs", swap_id="one")
    answer = await bench.http.post(f"{PLACE}/restart")
    assert (answer.status_code, answer.json()["code"]) == (409, "swap_in_progress")
    carer.broken = LeaseHeldError("'Bob' holds the cluster", holder="Bob")
    answer = await bench.http.post(f"{PLACE}/reapply")
    assert answer.json()["code"] == "lease_held"
    answer = await bench.http.post(f"{PLACE}/reapply", json={"pip": "cuda-python"})
    assert answer.status_code == 422


async def test_a_job_is_followed_to_its_outcome(bench, carer):
    await bench.http.post(f"{PLACE}/reapply", headers={"idempotency-key": "one"})
    progress = OverlayProgress(
        job_id="one", n=1, step="keeping", lines=["main.py: kept"], at=NOW, action="reapply",
        host="spark1",
    )  # fmt: skip
    done = OverlayComplete(
        job_id="one", requested_by="Alice", outcome=JobState.COMPLETE, total_seconds=1,
        finished_at=NOW, action="reapply", host="spark1",
    )  # fmt: skip
    bus = carer.bus
    await bus.publish_durable(subjects.job_progress("overlay", "one"), progress, id="one-1")
    await bus.publish_durable(subjects.job_complete("overlay", "one"), done, id="one-outcome")
    async with bench.stream(f"{PLACE}/jobs/one/stream") as client:
        async with asyncio.timeout(60):
            await client.task
    assert [event.name for event in client.events] == ["overlay.progress", "overlay.complete"]
    assert client.events[0].body["lines"] == ["main.py: kept"]
