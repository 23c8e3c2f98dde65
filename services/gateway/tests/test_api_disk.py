"""``/api/models/{key}/disk``: plan and deletion, and their refusals as problems."""

import pytest

from spark_common.bus import Serving
from spark_common.contracts.disk import (
    DELETE_FROM_DISK,
    PLAN_DELETE,
    Deleted,
    DeletedPlace,
    DeletePlace,
    DeletePlan,
)
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    ModelInUseError,
    NotFoundError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.testing import MemoryBus

PATH = "/api/models/gpt-oss-120b/disk"


class Disk:
    """The part of a swapper that answers about disks."""

    def __init__(self) -> None:
        self.asked = []
        self.broken = None

    async def plan(self, request):
        self._answer(request)
        place = DeletePlace(host="spark1", label="Spark 1", frees_bytes=63_400_000_000)
        return DeletePlan(
            model=request.model, repo="org/x", name="X", places=[place], frees_bytes=63_400_000_000
        )

    async def delete(self, request):
        self._answer(request)
        place = DeletedPlace(host="spark2", label="Spark 2", problem="Spark 2 does not answer.")
        return Deleted(
            model=request.model, repo="org/x", complete=False, freed_bytes=0, places=[place]
        )

    def _answer(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken


@pytest.fixture
async def disk(bench) -> Disk:
    found = Disk()
    verbs = (Serving(PLAN_DELETE, found.plan), Serving(DELETE_FROM_DISK, found.delete))
    await MemoryBus("swapper", bench.broker).serve("swapper", "1.0.0", "disks", verbs)
    return found


async def test_the_plan_names_the_bytes_per_spark(bench, disk):
    answer = await bench.http.get(PATH)
    assert answer.status_code == 200
    assert answer.json()["places"][0]["frees_bytes"] == 63_400_000_000
    assert disk.asked[0].model == "gpt-oss-120b"


async def test_a_deletion_names_its_sparks_and_who_asked(bench, disk):
    answer = await bench.http.delete(f"{PATH}?host=spark1&host=spark2&requested_by=Alice")
    assert answer.status_code == 200
    assert answer.json()["complete"] is False
    assert answer.json()["places"][0]["problem"] == "Spark 2 does not answer."
    (request,) = disk.asked
    assert (request.hosts, request.requested_by) == (["spark1", "spark2"], "Alice")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ModelInUseError("it is loaded", blockers=["it is loaded"]), 409, "model_in_use"),
        (ConflictError("it is a local model"), 409, "conflict"),
        (UnknownModelError("no such model", near=["a"]), 404, "unknown_model"),
        (NotFoundError("there is no Spark called 'x'"), 404, "not_found"),
        (UnavailableError("Redis is away"), 503, "unavailable"),
        (DeadlineExceededError("too late"), 503, "outcome_unknown"),
    ],
)
async def test_a_refusal_is_a_problem(bench, disk, error, status, code):
    disk.broken = error
    answer = await bench.http.delete(PATH)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("query", ["?host=Spark%201", "?host=", "?host=a;b", "?requested_by="])
async def test_what_is_no_host_is_refused_here(bench, disk, query):
    answer = await bench.http.delete(PATH + query)
    assert answer.status_code == 422
    assert disk.asked == []


async def test_a_page_of_another_site_deletes_nothing(bench, disk):
    answer = await bench.http.delete(PATH, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert disk.asked == []
