"""``/api/swap/{key}/validate`` and ``/plan`` and the way out of quarantine, as questions."""

import pytest
from pydantic import SecretStr

from spark_common.bus import Serving
from spark_common.contracts.plans import (
    CLEAR_QUARANTINE,
    PLAN_SWAP,
    VALIDATE_MODEL,
    ClearQuarantine,
    PlanSwap,
    Quarantine,
    QuarantineCleared,
    SwapPlan,
    ValidateModel,
    Validation,
)
from spark_common.contracts.swaps import RequestSwap
from spark_common.errors import InvalidRequestError, QuarantinedError, UnknownModelError
from spark_common.testing import MemoryBus


class Planner:
    """Answers the three questions and keeps them."""

    def __init__(self):
        self.asked = []
        self.refusal = None

    async def serve(self, broker):
        bus = MemoryBus("swapper", broker)
        verbs = (
            Serving(VALIDATE_MODEL, self.validate),
            Serving(PLAN_SWAP, self.plan),
            Serving(CLEAR_QUARANTINE, self.clear),
        )
        await bus.serve("swapper", "1.0.0", "plans of tests", verbs)

    def take(self, request):
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal

    async def validate(self, request: ValidateModel) -> Validation:
        self.take(request)
        return Validation(ok=True, verdict="good", cmd_args=["org/m"], note="Only a load shows.")

    async def plan(self, request: PlanSwap) -> SwapPlan:
        self.take(request)
        return SwapPlan(model="m", model_name="M", served_name="m", drain_seconds=30)

    async def clear(self, request: ClearQuarantine) -> QuarantineCleared:
        self.take(request)
        held = Quarantine(reason="It took Spark 1 down.", since="2026-01-01T00:00:00Z")
        return QuarantineCleared(model="m", was=held)


@pytest.fixture
async def planner(bench):
    found = Planner()
    await found.serve(bench.broker)
    return found


async def test_a_test_takes_what_is_not_saved(bench, planner):
    body = {"knobs": {"max_model_len": 4096}, "flags": ["--seed=3"], "deep": True}
    answer = await bench.http.post("/api/swap/org--m.1/validate", json=body)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    (asked,) = planner.asked
    assert (asked.model, asked.knobs.max_model_len) == ("org--m.1", 4096)
    assert (asked.flags, asked.deep) == (["--seed=3"], True)


async def test_without_a_body_the_recipe_is_tested_as_it_is(bench, planner):
    answer = await bench.http.post("/api/swap/m/validate")
    assert answer.status_code == 200
    assert planner.asked == [ValidateModel(model="m")]
    assert (await bench.http.post("/api/swap/m/plan")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"knobs": {"gpu_memory_utilization": 3}},
        {"flags": "--seed"},
        {"deep": "perhaps"},
        {"flag": ["--typo"]},
        {"flags": ["x" * 20_000]},
        {"flags": ["--a"] * 300},
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_here(bench, planner, body):
    answer = await bench.http.post("/api/swap/m/validate", json=body)
    assert (answer.status_code, planner.asked) == (422, [])


async def test_a_plan_carries_the_token_of_the_lease(bench, planner):
    answer = await bench.http.post(
        "/api/swap/m/plan", json={"requested_by": "Alice"}, headers={"x-swap-lock-token": "secret"}
    )
    assert answer.json()["drain_seconds"] == 30
    assert planner.asked == [
        PlanSwap(model="m", requested_by="Alice", lock_token=SecretStr("secret"))
    ]
    assert "secret" not in answer.text


async def test_a_quarantine_is_cleared_with_a_name(bench, planner):
    answer = await bench.http.delete("/api/models/m/quarantine?requested_by=Alice")
    assert answer.status_code == 200
    assert answer.json()["was"]["reason"] == "It took Spark 1 down."
    assert planner.asked == [ClearQuarantine(model="m", requested_by="Alice")]


@pytest.mark.parametrize(
    ("error", "status"),
    [(UnknownModelError("no model 'm'", near=["n"]), 404), (InvalidRequestError("no flag"), 422)],
)
async def test_refusals_are_problems(bench, planner, error, status):
    planner.refusal = error
    for path in ("/api/swap/m/validate", "/api/swap/m/plan"):
        answer = await bench.http.post(path)
        assert (answer.status_code, answer.json()["code"]) == (status, error.code)


async def test_a_swap_to_a_quarantined_model_is_409(bench):
    async def refuse(request: RequestSwap):
        raise QuarantinedError("it is in quarantine", model="m")

    bench.swapper.request = refuse
    bench.swapper.delay = lambda: refuse(None)
    answer = await bench.http.post("/api/swap", json={"model": "gemma-4-26b"})
    assert (answer.status_code, answer.json()["code"]) == (409, "quarantined")
