"""``/api/swap/lock``: the coordinator's lease over HTTP."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    REQUEST_YIELD,
    GetLease,
    LeaseGrant,
    LeaseView,
    Released,
)
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    LeaseHeldError,
    UnavailableError,
)
from spark_common.testing import MemoryBus

PATH = "/api/swap/lock"
TOKEN = "t0ken-that-nobody-sees"
HELD = LeaseGrant(state="held", token=TOKEN, epoch=7, remaining_seconds=600.0)
WAITING = LeaseGrant(state="waiting", token=TOKEN, ticket="x", position=2, eta_seconds=60.0)
VIEW = LeaseView(state="held", holder="Alice", remaining_seconds=600.0, epoch=7)


class Coordinator:
    """Answers what the test says, and keeps what it was asked by those who have a part in it."""

    def __init__(self) -> None:
        self.asked = []
        self.answers = {}

    def answering(self, rpc, usual):
        async def answer(request):
            # Without a token anybody looks at any moment: the gateway's own board does.
            if request != GetLease():
                self.asked.append(request)
            found = self.answers.get(rpc, usual)
            if isinstance(found, Exception):
                raise found
            return found

        return Serving(rpc, answer)


@pytest.fixture
async def coordinator(bench) -> Coordinator:
    found = Coordinator()
    verbs = (
        found.answering(ACQUIRE_LEASE, HELD),
        found.answering(GET_LEASE, VIEW),
        found.answering(RELEASE_LEASE, Released(released="lease", holder="Alice", epoch=7)),
        found.answering(REQUEST_YIELD, VIEW),
    )
    await MemoryBus("coordinator", bench.broker).serve("coordinator", "1.0.0", "lease", verbs)
    return found


def revealed(secret):
    return None if secret is None else secret.get_secret_value()


async def test_everybody_sees_who_holds_it(bench, coordinator):
    answer = await bench.http.get(PATH)
    assert (answer.status_code, answer.json()["holder"]) == (200, "Alice")
    assert coordinator.asked == []
    await bench.http.get(PATH, headers={"X-Swap-Lock-Token": TOKEN})
    (asked,) = coordinator.asked
    assert revealed(asked.token) == TOKEN


async def test_taking_it_answers_with_the_token_once(bench, coordinator):
    body = {"holder": "nightly-batch", "reason": "embeddings", "ttl_seconds": 900}
    answer = await bench.http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["token"]) == (200, TOKEN)
    (asked,) = coordinator.asked
    assert (asked.holder, asked.reason, asked.ttl_seconds) == ("nightly-batch", "embeddings", 900)
    assert (asked.force, asked.wait, asked.token) == (False, False, None)


async def test_a_place_in_line_is_202(bench, coordinator):
    coordinator.answers[ACQUIRE_LEASE] = WAITING
    body = {"holder": "agent", "wait": True, "priority": "batch", "max_wait_seconds": 60}
    answer = await bench.http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["position"]) == (202, 2)
    (asked,) = coordinator.asked
    assert (asked.wait, asked.priority, asked.max_wait_seconds) == (True, "batch", 60)


@pytest.mark.parametrize(
    ("header", "in_body"), [(TOKEN, None), (None, TOKEN), (TOKEN, TOKEN)], ids=["h", "b", "both"]
)
async def test_the_token_comes_in_the_header_or_the_body(bench, coordinator, header, in_body):
    headers = {"X-Swap-Lock-Token": header} if header else {}
    body = {"holder": "agent"} | ({"token": in_body} if in_body else {})
    assert (await bench.http.post(PATH, json=body, headers=headers)).status_code == 200
    assert revealed(coordinator.asked[0].token) == TOKEN


async def test_the_key_of_an_order_goes_along_and_is_seen_by_nobody(bench, coordinator):
    key = "random-of-this-order"
    answer = await bench.http.post(PATH, json={"holder": "agent"}, headers={"Idempotency-Key": key})
    (asked,) = coordinator.asked
    assert (answer.status_code, revealed(asked.key)) == (200, key)
    assert key not in repr(asked) + answer.text


async def test_two_different_tokens_are_one_too_many(bench, coordinator):
    answer = await bench.http.post(
        PATH, json={"holder": "a", "token": "other"}, headers={"X-Swap-Lock-Token": TOKEN}
    )
    assert answer.status_code == 422
    assert TOKEN not in answer.text
    assert coordinator.asked == []


async def test_force_is_a_persons_decision_in_the_query(bench, coordinator):
    body = {"holder": "Owner", "requested_by": "Owner at the desk"}
    await bench.http.post(f"{PATH}?force=true", json=body)
    assert (coordinator.asked[0].force, coordinator.asked[0].requested_by) == (
        True,
        "Owner at the desk",
    )


@pytest.mark.parametrize(
    ("query", "body", "by"),
    [
        ("", None, "someone"),
        ("&requested_by=Alice", None, "Alice"),
        ("", {"requested_by": "Bob"}, "Bob"),
        ("", {}, "someone"),
    ],
)
async def test_giving_it_back(bench, coordinator, query, body, by):
    answer = await bench.http.request(
        "DELETE", f"{PATH}?force=true{query}", json=body, headers={"X-Swap-Lock-Token": TOKEN}
    )
    assert (answer.status_code, answer.json()["released"]) == (200, "lease")
    (asked,) = coordinator.asked
    assert (revealed(asked.token), asked.force, asked.requested_by) == (TOKEN, True, by)


async def test_asking_for_it(bench, coordinator):
    body = {"requested_by": "Bob", "by": "2026-01-01T14:00:00+00:00", "note": "please"}
    assert (await bench.http.post(f"{PATH}/yield", json=body)).status_code == 200
    (asked,) = coordinator.asked
    assert asked.by == datetime(2026, 1, 1, 14, tzinfo=UTC)
    assert (asked.requested_by, asked.note) == ("Bob", "please")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (LeaseHeldError("'Alice' holds the cluster", holder="Alice"), 423, "lease_held"),
        (ConflictError("the line is full"), 409, "conflict"),
        (UnavailableError("cannot verify the reservation: Redis is away"), 503, "unavailable"),
        (DeadlineExceededError("late"), 503, "outcome_unknown"),
    ],
)
async def test_refusals_are_problems(bench, coordinator, error, status, code):
    coordinator.answers[ACQUIRE_LEASE] = error
    answer = await bench.http.post(PATH, json={"holder": "agent"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 423:
        assert answer.json()["details"]["holder"] == "Alice"


async def test_a_wrong_token_does_not_release_and_is_not_repeated(bench, coordinator):
    coordinator.answers[RELEASE_LEASE] = LeaseHeldError("'Alice' holds", holder="Alice")
    answer = await bench.http.delete(PATH, headers={"X-Swap-Lock-Token": "wrong-one"})
    assert answer.status_code == 423
    assert "wrong-one" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", PATH, {}, {}),
        ("POST", PATH, {"holder": ""}, {}),
        ("POST", PATH, {"holder": "a", "ttl_seconds": 9}, {}),
        ("POST", PATH, {"holder": "a", "ttl_seconds": 86_401}, {}),
        ("POST", PATH, {"holder": "a", "ttl_seconds": "NaN"}, {}),
        ("POST", PATH, {"holder": "a", "priority": "urgent"}, {}),
        ("POST", PATH, {"holder": "a", "max_wait_seconds": 0}, {}),
        ("POST", PATH, {"holder": "a", "schedule_id": "../x"}, {}),
        ("POST", PATH, {"holder": "a", "reason": "r" * 501}, {}),
        ("POST", PATH, {"holder": "a", "tokken": "x"}, {}),
        ("POST", PATH, {"holder": "a", "token": "x" * 201}, {}),
        ("POST", PATH, {"holder": "a"}, {"X-Swap-Lock-Token": "x" * 201}),
        ("POST", PATH, {"holder": "a"}, {"Idempotency-Key": "guessable"}),
        ("POST", f"{PATH}?force=perhaps", {"holder": "a"}, {}),
        ("GET", PATH, None, {"X-Swap-Lock-Token": "x" * 201}),
        ("DELETE", PATH, {"by": "x"}, {}),
        ("POST", f"{PATH}/yield", {}, {}),
        ("POST", f"{PATH}/yield", {"requested_by": "a", "by": "2026-01-01T14:00:00"}, {}),
    ],
)
async def test_what_is_wrong_is_422_and_nobody_is_asked(
    bench, coordinator, method, path, body, headers
):
    answer = await bench.http.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "x" * 100 not in answer.text
    assert coordinator.asked == []


async def test_a_swap_goes_through_a_reservation_only_when_the_query_says_so(bench):
    await bench.http.post("/api/swap", json={"model": "gemma-4-26b", "force": True})
    await bench.http.post("/api/swap?force=true", json={"model": "gemma-4-26b"})
    first, second = bench.swapper.asked
    assert (first.force, first.override_lease) == (True, False)
    assert (second.force, second.override_lease) == (False, True)
