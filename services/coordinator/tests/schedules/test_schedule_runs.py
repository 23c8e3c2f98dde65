"""What is executed: at its time, once, under the lease, to an outcome that is kept and told."""

from datetime import timedelta

import pytest

from spark_common.contracts.schedules import RemoveSchedule
from spark_common.contracts.swaps import Phase
from spark_common.contracts.traffic import FirstToken
from spark_common.errors import NotFoundError, UnavailableError
from spark_coordinator.schedules.record import run_id

pytestmark = pytest.mark.connected


async def test_a_swap_runs_at_its_time_under_the_lease_and_its_outcome_is_kept(led):
    due = led.in_minutes(1)
    await led.put(kind="swap", model="qwen", at=due, name="Nightly", owner="Alice")
    await led.passes(55)
    assert led.cluster.asked == []
    await led.until(lambda: bool(led.cluster.asked))
    assert led.lease.holder == "schedule one"
    assert (await led.get()).last.state == "running"
    view = await led.over()
    (request,) = led.cluster.asked
    assert (request.id, request.model) == (run_id("one", due), "qwen")
    assert request.when_busy == "queue"
    assert request.rollback
    assert led.lease.story == [("acquired", "schedule one"), ("released", "schedule one")]
    (run,) = view.runs
    assert (run.state, run.message, run.swap_id) == ("done", "QWEN is serving.", request.id)
    assert due <= run.started_at <= due + timedelta(seconds=10)
    assert view.next_at is None
    await led.until(lambda: "finished" in led.told())
    assert led.told() == ["registered", "due", "finished"]
    event = led.events("finished")[0]
    assert (event["outcome"], event["owner"], event["name"]) == ("done", "Alice", "Nightly")
    assert event["total_seconds"] == pytest.approx(60, abs=12)


async def test_a_swap_that_fails_says_why_and_gives_the_lease_back(led):
    led.cluster.fails = True
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, run.message) == ("failed", "QWEN ran out of memory.")
    assert led.lease.holder is None


async def test_a_refused_swap_is_a_failed_run_with_the_words_of_the_swapper(led):
    await led.put(kind="swap", model="unheard-of", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, run.swap_id) == ("failed", run.id)
    assert "'unheard-of' is not on the menu" in run.message
    assert led.lease.holder is None


async def test_what_is_loaded_already_is_well(led):
    led.cluster.loaded = "qwen"
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, run.swap_id) == ("done", None)
    assert run.message == "qwen was loaded already; nothing was touched."
    assert led.cluster.loads == []


async def test_a_swapper_that_is_away_for_a_moment_is_waited_for(led):
    led.cluster.broken = UnavailableError("Redis does not answer")
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    await led.until(lambda: len(led.cluster.asked) > 3)
    led.cluster.broken = None
    (run,) = (await led.over()).runs
    assert run.state == "done"
    assert led.cluster.loads == ["qwen"]


async def test_a_swapper_that_stays_away_ends_the_run(led):
    led.cluster.broken = UnavailableError("Redis does not answer")
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, run.message) == (
        "failed",
        "It could not be done: Redis does not answer.",
    )
    assert led.lease.holder is None


async def test_the_lease_of_a_long_run_is_extended(led):
    led.cluster.seconds = 1500
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1), duration_minutes=5)
    await led.until(lambda: bool(led.cluster.loads))
    await led.passes(1300, step=20)
    assert led.lease.holder == "schedule one"
    assert ("extended", "schedule one") in led.lease.story
    assert (await led.over()).runs[0].state == "done"


async def test_a_restart_starts_afresh_what_is_loaded(led):
    led.cluster.loaded = "gemma"
    await led.put(kind="restart", service="vllm", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    (request,) = led.cluster.asked
    assert (request.model, request.reload, request.rollback) == ("gemma", True, True)
    assert (run.state, led.cluster.loads) == ("done", ["gemma"])


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"kind": "restart", "service": "vllm"}, "done"),
        ({"kind": "swap", "model": "qwen"}, "failed"),
    ],
)
async def test_what_came_back_after_a_failure_is_what_a_restart_was_for(led, facts, state):
    led.cluster.loaded, led.cluster.fails = "gemma", True
    led.cluster.fails_as = Phase.ROLLED_BACK
    await led.put(at=led.in_minutes(1), **facts)
    assert (await led.over()).runs[0].state == state


async def test_with_nothing_loaded_nothing_is_restarted(led):
    await led.put(kind="restart", service="vllm", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, led.cluster.asked) == ("failed", [])
    assert run.message == "Nothing that is on the menu is loaded: nothing was restarted."


@pytest.mark.parametrize("loaded", [None, "gemma", "qwen"])
async def test_to_warm_a_model_loads_it_if_need_be_and_has_a_token_come(led, loaded):
    led.cluster.loaded = loaded
    await led.put(kind="warm", model="qwen", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert led.cluster.loads == ([] if loaded == "qwen" else ["qwen"])
    assert led.cluster.tokens == ["qwen-served"]
    assert (run.state, run.message) == (
        "done",
        "qwen-served is loaded and answered with a first token.",
    )


async def test_to_warm_without_a_model_asks_whatever_is_loaded(led):
    led.cluster.loaded = "gemma"
    await led.put(kind="warm", at=led.in_minutes(1))
    assert (await led.over()).runs[0].state == "done"
    assert (led.cluster.tokens, led.cluster.asked) == (["gemma-served"], [])


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (FirstToken(state="missing", problem="it says 500"), "it says 500"),
        (FirstToken(state="waiting"), "within 10 minutes"),
    ],
)
async def test_a_token_that_does_not_come_fails_the_warming(led, token, said):
    led.cluster.loaded, led.cluster.token = "gemma", token
    await led.put(kind="warm", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert run.state == "failed"
    assert said in run.message


async def test_a_sweep_asks_the_health_service_whoever_holds_the_cluster(led):
    led.lease.take("agent")
    await led.put(kind="sweep", at=led.in_minutes(1), owner="Alice")
    (run,) = (await led.over()).runs
    assert run.state == "done"
    (message,) = led.broker.stream("SC_PROBES").messages.values()
    assert message.subject == "health.probe.requested"
    assert message.envelope.data["target"] == "all"
    assert message.envelope.data["requested_by"] == "schedule one"


async def test_a_snapshot_is_taken_whoever_holds_the_cluster(led):
    led.lease.take("agent")
    await led.put(kind="snapshot", collection="docs", keep=1, at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert (run.state, run.swap_id) == ("done", None)
    assert run.message == "docs was written to docs-1.snapshot. 1 older ones were deleted."
    (asked,) = led.cluster.snapshots
    assert (asked.collection, asked.keep) == ("docs", 1)
    assert asked.requested_by == "schedule one"
    assert asked.unless_since <= run.started_at
    await led.until(lambda: "finished" in led.told())
    assert led.events("finished")[0]["kind"] == "snapshot"


async def test_a_schedule_names_what_its_own_runs_took_and_nothing_else(led):
    await led.put(kind="snapshot", collection="docs", keep=2, cron="* * * * *")
    await led.until(lambda: len(led.cluster.snapshots) == 3)
    asked = [request.ours for request in led.cluster.snapshots]
    assert asked == [[], ["docs-1.snapshot"], ["docs-2.snapshot", "docs-1.snapshot"]]


async def test_a_snapshot_that_crowds_the_disk_is_done_and_says_so(led):
    led.cluster.snapshot_problem = "Qdrant failed: read-only disk"
    await led.put(kind="snapshot", collection="docs", keep=2, at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert run.state == "done"
    assert run.message.endswith("could not be deleted: Qdrant failed: read-only disk.")


@pytest.mark.parametrize(
    ("fault", "said", "asks"),
    [(NotFoundError("there is no collection 'docs'"), "there is no collection 'docs'", 1),
     (UnavailableError("Qdrant does not answer"), "Qdrant does not answer", 50)],
)  # fmt: skip
async def test_a_snapshot_that_cannot_be_taken_fails_with_the_reason(led, fault, said, asks):
    led.cluster.snapshot_fails = fault
    await led.put(kind="snapshot", collection="docs", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert run.state == "failed"
    assert said in run.message
    assert len(led.cluster.snapshots) >= asks


async def test_a_held_lease_is_waited_for_in_line_within_the_window(led):
    led.lease.take("agent")
    misfire = {"policy": "run_once", "within_minutes": 30}
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1), misfire=misfire)
    await led.until(lambda: led.lease.waiting == ["schedule one"])
    await led.until(lambda: led.clock.monotonic() > 100)
    assert "'agent'" in (await led.get()).last.message
    led.lease.free()
    (run,) = (await led.over()).runs
    assert run.state == "done"


@pytest.mark.parametrize(
    ("misfire", "minutes"),
    [({"policy": "skip"}, 1), ({"policy": "run_once", "within_minutes": 5}, 5)],
)
async def test_a_lease_that_is_held_for_longer_misses_the_run_with_the_reason(
    led, misfire, minutes
):
    led.lease.take("agent")
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1), misfire=misfire)
    (run,) = (await led.over()).runs
    assert run.state == "missed"
    assert run.message == "'agent' held the cluster for longer than the run may wait"
    assert led.clock.monotonic() == pytest.approx(60 + 60 * minutes, abs=15)
    assert (led.lease.waiting, led.cluster.asked) == ([], [])
    await led.until(lambda: "missed" in led.told())
    assert led.told() == ["registered", "due", "missed"]


async def test_a_run_that_meets_the_one_before_it_is_skipped(led):
    led.cluster.seconds = 200
    await led.put(kind="swap", model="qwen", every_seconds=120)
    view = await led.over(number=2)
    skipped, done = sorted(view.runs, key=lambda run: run.state, reverse=True)[:2]
    assert (skipped.state, done.state) == ("skipped", "done")
    assert "was not over yet" in skipped.message
    assert led.cluster.loads == ["qwen"]


async def test_what_is_removed_or_switched_off_while_it_waits_does_not_begin(led):
    led.lease.take("agent")
    misfire = {"policy": "run_once", "within_minutes": 30}
    facts = {"kind": "swap", "model": "qwen", "misfire": misfire}
    await led.put("one", at=led.in_minutes(1), **facts)
    await led.put("two", every_seconds=60, **facts)
    await led.until(lambda: len(led.lease.waiting) == 2)
    await led.verbs.remove(RemoveSchedule(id="one"))
    await led.put("two", every_seconds=60, enabled=False, **facts)
    led.lease.free()
    await led.until(lambda: not led.lease.waiting and led.lease.holder is None)
    assert (await led.over("two")).runs[0].state == "skipped"
    assert led.cluster.asked == []


async def test_a_bug_ends_its_run_and_not_those_that_follow(led):
    led.lease.bug = RuntimeError("a bug")
    await led.put(kind="swap", model="qwen", every_seconds=300)
    (run,) = (await led.over()).runs
    assert (run.state, run.message) == (
        "failed",
        "Something went wrong in the coordinator; its log names this run.",
    )
    led.lease.bug = None
    assert (await led.over(number=2)).runs[0].state == "done"
