"""``/api/nim``: what is passed on, what is refused at the door, and that no key comes back."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.jobs import JobLog, JobState
from spark_common.contracts.nim import (
    CANCEL_NIM_JOB,
    GET_NIM_CATALOG,
    GET_NIM_JOB,
    INSTALL_NIM,
    READ_NIM_LOG,
    REMOVE_NIM,
    NimCatalog,
    NimInstallView,
    NimRemoved,
)
from spark_common.testing import MemoryBus

KEY = "nvapi-0123456789abcdefXYZ"


class Nims:
    """Answers about NIM services from memory."""

    def __init__(self):
        self.asked = []

    async def catalog(self, request):
        return NimCatalog(key_set=False)

    async def install(self, request):
        self.asked.append(request)
        return NimInstallView(
            id=request.id, requested_by=request.requested_by, state=JobState.RUNNING,
            step="checking", what="x", host="spark2", image="nvcr.io/nim/x/y", port=8010,
            created_at=datetime(2026, 11, 27, tzinfo=UTC),
        )  # fmt: skip

    async def job(self, request):
        self.asked.append(request)
        return await self.install(request) if hasattr(request, "requested_by") else None

    async def log(self, request):
        return JobLog(lines=["a layer"])

    async def remove(self, request):
        self.asked.append(request)
        return NimRemoved(
            name=request.name, host="spark2", volume="v", volume_removed=request.volume, message="."
        )


@pytest.fixture
async def nims(bench):
    made = Nims()
    verbs = (
        Serving(GET_NIM_CATALOG, made.catalog), Serving(INSTALL_NIM, made.install),
        Serving(GET_NIM_JOB, made.job), Serving(CANCEL_NIM_JOB, made.job),
        Serving(READ_NIM_LOG, made.log), Serving(REMOVE_NIM, made.remove),
    )  # fmt: skip
    await MemoryBus("health", bench.broker).serve("nims", "1.0.0", "NIMs of tests", verbs)
    return made


async def test_the_key_goes_on_and_never_comes_back(bench, nims):
    answer = await bench.http.post(
        "/api/nim/install",
        json={"entry": "llama", "ngc_api_key": KEY, "requested_by": "Alice"},
        headers={"idempotency-key": "k1"},
    )
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/nim/jobs/k1")
    assert nims.asked[0].ngc_api_key.get_secret_value() == KEY
    assert KEY not in answer.text
    assert (await bench.http.get("/api/nim/catalog")).json()["key_set"] is False
    assert (await bench.http.delete("/api/nim/jobs/k1")).status_code == 202
    await bench.http.delete("/api/nim/llama?volume=true&requested_by=Bob")
    assert (nims.asked[-1].volume, nims.asked[-1].requested_by) == (True, "Bob")


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "docker.io/somebody/else"},
        {"image": "nvcr.io/nim/x; rm -rf /"},
        {"image": "nvcr.io/nim/x:latest\nEVIL=1"},
        {"image": "nvcr.io/../x/y"},
        {"name": "-v"},
        {"name": "a$(id)"},
        {"port": 0},
        {"port": "8010; id"},
        {"env": {"A B": "c"}},
        {"env": {"A": "b\nNGC_API_KEY=c"}},
        {"volume": "/etc"},
        {"volume": "a:/etc"},
        {"health_path": "http://elsewhere"},
        {"health_path": "/a b"},
        {"ngc_api_key": ""},
        {"no_such_field": 1},
    ],
)
async def test_what_is_no_field_is_refused_without_the_key(bench, nims, fields):
    asked = {"entry": "llama", "ngc_api_key": KEY} | fields
    answer = await bench.http.post("/api/nim/install", json=asked)
    assert answer.status_code in (400, 422)
    assert KEY not in answer.text
    assert nims.asked == []
