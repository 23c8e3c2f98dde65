"""Updates and the way back on simulated Sparks: real git, real shells, images that change."""

import asyncio

import pytest

from spark_common.contracts.jobs import GetJob
from spark_common.contracts.swaps import Phase
from spark_common.errors import (
    ConflictError,
    HostUnreachableError,
    IdempotencyConflictError,
    JobInProgressError,
    LeaseHeldError,
    NotFoundError,
    SwapInProgressError,
)
from spark_swapper.records.jobs import first_job
from spark_swapper.updates import causes

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


async def test_what_is_pending_is_known_after_a_refresh(software):
    software.images = ("vllm-node-b12x", "vllm-node")
    before = await software.get()
    (spark1, spark2) = before.checkouts
    assert (spark1.branch, spark1.behind, spark1.dirty, spark1.problem) == ("main", 0, [], None)
    assert (spark1.launcher, spark1.label, spark1.stale) == ("no_ray", "Spark 1", False)
    assert spark1.commit == spark2.commit
    assert [checkout.fetched_at for checkout in before.checkouts] == [None, None]
    assert before.checked_at is None
    view = await software.get(refresh=True)
    (spark1, _) = view.checkouts
    assert spark1.behind == 4
    assert spark1.commits[0].subject == "Bump vLLM to 0.33.0"
    assert "Remove once NCCL" in spark1.commits[1].body
    assert [commit.files for commit in spark1.commits] == [2, 2, 1, 2]
    assert (view.can_apply, view.can_revert, view.blockers) == (True, False, [])
    asked = [checkout.fetched_at for checkout in view.checkouts]
    assert view.checked_at == max(asked)
    again = await software.get()
    assert [checkout.fetched_at for checkout in again.checkouts] == asked
    tags = {(image.host, image.tag): image for image in view.images}
    image = tags["spark1", "vllm-node"]
    assert image.id.startswith("sha256:")
    assert (image.size_bytes, image.vllm_version) == (18_411_223_344, "0.30.0")
    assert set(tags) == {
        (host, tag) for host in ("spark1", "spark2") for tag in ("vllm-node", "vllm-node-b12x")
    }


async def test_an_update_brings_commits_and_images_to_every_spark_and_back(software):
    (old, _) = software.ids()
    first = await software.apply(id="one")
    assert (first.step, first.state) == ("checking", "running")
    assert (await software.apply(id="one")).id == "one"
    with pytest.raises(JobInProgressError):
        await software.apply()
    view = await software.ended("one")
    assert view.state == "complete", view
    assert view.message.startswith("Updated: the commit is now ")
    assert "the image vllm-node is new" in view.message
    (new, other) = software.ids()
    assert new == other != old
    assert [image.id for image in view.images_before] == [f"sha256:{old}"] * 2
    assert [image.id for image in view.images_after] == [f"sha256:{new}"] * 2
    assert view.commit_before != view.commit_after
    steps = [mark.step for mark in view.steps]
    assert steps == ["checking", "pulling", "copying", "saving", "copying", "verifying", "done"]
    assert all(mark.seconds is not None for mark in view.steps)
    told = software.told("SC_JOB_PROGRESS")
    assert [event["n"] for event in told] == list(range(1, len(told) + 1))
    lines = [line for event in told for line in event["lines"]]
    for sign in ("Status: Downloaded newer image", "Loading image into", "TIMING STATISTICS"):
        assert any(sign in line for line in lines), sign
    (outcome,) = software.told("SC_JOB_EVT")
    assert (outcome["outcome"], outcome["direction"]) == ("complete", "update")
    updates = await software.get()
    assert [checkout.behind for checkout in updates.checkouts] == [0, 0]
    assert updates.can_revert
    assert {kept.id for kept in updates.kept} == {f"sha256:{old}"}
    assert updates.kept[0].commit == view.commit_before

    kept = software.kept()
    await software.apply(id="two")
    again = await software.ended("two")
    assert (again.state, again.message) == ("complete", "Everything was the newest already.")
    assert software.kept() == kept

    await software.revert(id="back")
    back = await software.ended("back")
    assert (back.state, back.direction) == ("complete", "revert"), back
    began = f"{view.created_at:%Y-%m-%d %H:%M}"
    assert back.message == f"Back at what was in use before the update of {began} UTC."
    assert software.ids() == [old, old]
    updates = await software.get()
    assert [checkout.behind for checkout in updates.checkouts] == [4, 4]
    assert [checkout.dirty for checkout in updates.checkouts] == [[], []]
    assert {checkout.commit for checkout in updates.checkouts} == {view.commit_before}
    assert not updates.can_revert
    with pytest.raises(ConflictError, match="no kept image"):
        await software.revert()
    with pytest.raises(IdempotencyConflictError):
        await software.apply(id="back")
    log = await software.part.verbs.read_log(GetJob(id="one"))
    assert "spark-control: getting vllm-node" in log.lines
    assert log.complete


async def test_a_cancelled_update_leaves_everything_as_it_was(software):
    software.slow_down()
    before = software.ids()
    commit = (await software.get()).checkouts[0].commit
    await software.apply(id="one")
    await software.until("one", lambda view: view.step == "pulling")
    await software.cancel("one")
    view = await software.ended("one")
    assert (view.state, view.cause.code) == ("cancelled", "cancelled")
    assert view.message == "Cancelled by Bob. Everything is as it was before."
    assert software.ids() == before
    assert (await software.get()).checkouts[0].commit == commit
    assert software.kept() == set()
    (outcome,) = software.told("SC_JOB_EVT")
    assert outcome["outcome"] == "cancelled"


async def test_a_process_that_dies_at_every_step_is_carried_on_without_a_second_start(software):
    software.slow_down()
    await software.apply(id="one")
    for step in ("checking", "pulling", "saving", "copying", "verifying"):
        try:
            await software.until("one", lambda view, step=step: view.step == step)
        except AssertionError:
            break  # The last steps may pass between two looks.
        await software.kill()
        software.start()
    software.hurry()
    view = await software.ended("one")
    assert view.state == "complete", view
    home = software.cluster.hosts["spark1"].sandbox.home
    written = (home / ".spark-control" / "jobs" / "one" / "update.log").read_text()
    assert written.count("spark-control: moving the checkout forward") == 1
    told = [line for event in software.told("SC_JOB_PROGRESS") for line in event["lines"]]
    for sign in ("Status: Downloaded newer image", "Copy complete."):
        assert sum(sign in line for line in told) in (1, 2)
    assert len(software.told("SC_JOB_EVT")) == 1
    assert len(set(software.ids())) == 1


async def test_a_process_that_dies_while_it_goes_back_goes_back(software):
    software.slow_down()
    before = software.ids()
    await software.apply(id="one")
    await software.until("one", lambda view: view.step == "pulling")
    await software.cancel("one")
    await software.until("one", lambda view: view.step == "reverting" or view.over)
    await software.kill()
    software.start()
    software.hurry()
    view = await software.ended("one")
    assert (view.state, view.cause.sentence) == ("cancelled", "Cancelled by Bob.")
    assert "Everything is as it was before." in view.message
    assert software.ids() == before


async def test_a_spark_that_goes_away_in_the_middle_is_waited_for(software):
    software.slow_down()
    await software.apply(id="one")
    await software.until("one", lambda view: view.step == "pulling")
    await software.cluster.behave("spark1", "unreachable")
    await software.until("one", lambda view: view.message.startswith("Waiting for Spark 1"))
    await software.cluster.behave("spark1", "ok")
    software.hurry()
    view = await software.ended("one")
    assert view.state == "complete", view


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("dirty", r"spark-vllm-docker: README\.md\. An update"),
        ("diverged", "commit of its own|commit that its origin does not have"),
        ("missing", "has no folder spark-vllm-docker"),
    ],
)
async def test_a_checkout_that_cannot_move_is_refused(software, state, said):
    await software.cluster.check_out("spark1", state)
    with pytest.raises(ConflictError, match=said):
        await software.apply()
    view = await software.get(refresh=True)
    assert not view.can_apply
    assert "Spark 1" in view.blockers[0]
    assert software.told("SC_JOB_EVT") == []


async def test_what_else_goes_on_is_never_disturbed(software):
    job = first_job(
        swap_id="s", model="m", model_name="M", requested_by="Bob", at=software.clock.now()
    )
    await software.swaps.admit(job)
    with pytest.raises(SwapInProgressError):
        await software.apply()
    await software.swaps.finish(job.enter(Phase.FAILED, software.clock.now(), ""), 1, 0)
    software.downloading = "d-1"
    with pytest.raises(JobInProgressError) as busy:
        await software.apply()
    assert busy.value.details["job_id"] == "d-1"
    assert "A download is running." in (await software.get()).blockers
    software.downloading = None
    software.gate.take("nightly", "secret")
    for token in (None, "wrong"):
        with pytest.raises(LeaseHeldError):
            await software.apply(lock_token=token)
    with pytest.raises(NotFoundError):
        await software.apply(lock_token="secret", hosts=["spark7"])
    await software.apply(lock_token="secret", id="mine")
    assert (await software.ended("mine")).state == "complete"


@pytest.fixture
async def slipping_in(software):
    """Let a swap begin right after a request looked for swaps."""
    live, seen = software.swaps.live, asyncio.Event()

    async def late():
        if not seen.is_set():
            seen.set()
            return []
        job = first_job(
            swap_id="s", model="m", model_name="M", requested_by="Bob", at=software.clock.now()
        )
        return [job.enter(Phase.PREFLIGHT, job.created_at, "").enter(
            Phase.DRAINING, job.created_at, ""
        )]  # fmt: skip

    def begin():
        software.swaps.live = late

    yield begin
    software.swaps.live = live


async def test_a_swap_that_slips_in_wins(software, slipping_in):
    slipping_in()
    await software.apply(id="one")
    view = await software.ended("one")
    assert (view.state, view.cause.code) == ("failed", "swap_running")
    assert view.message.endswith("Nothing was changed.")


async def test_a_swap_that_slips_in_wins_over_the_way_back(software, slipping_in):
    await software.apply(id="one")
    await software.ended("one")
    now = software.ids()
    slipping_in()
    await software.revert(id="back")
    view = await software.ended("back")
    assert (view.state, view.cause.code) == ("failed", "swap_running")
    assert view.message.endswith("Nothing was changed.")
    assert software.ids() == now


async def test_a_download_that_slips_in_goes_first(software):
    looks = []

    async def late():
        looks.append("look")
        return "d-1" if len(looks) > 1 else None

    software.download = late
    await software.apply(id="one")
    view = await software.ended("one")
    assert (view.state, view.cause.code) == ("failed", "download_running")
    assert view.message.endswith("Nothing was changed.")


async def test_what_still_runs_is_ended_before_it_is_undone(software):
    """As when the Spark was away while the update was stopped."""
    software.slow_down()
    before = software.ids()
    await software.apply(id="one")
    await software.until("one", lambda view: view.step == "pulling" and view.percent)
    await software.kill()
    record = await software.records.get("one")
    undoing = record.amend(step="reverting", undoing=causes.cancelled("Bob"))
    await software.records.save(undoing, record.revision, 1)
    software.start()
    view = await software.ended("one")
    assert view.message == "Cancelled by Bob. Everything is as it was before."
    home = software.cluster.hosts["spark1"].sandbox.home
    assert (home / ".spark-control" / "jobs" / "one" / "update.exit").read_text() == "143\n"
    assert software.ids() == before


@pytest.mark.parametrize(
    ("trouble", "code", "undone"),
    [
        (lambda c: c.check_out("spark1", "offline"), "no_network", "Nothing was changed."),
        (lambda c: c.behave("spark1", "no_registry"), "pull_failed", "Everything is as it was"),
        (lambda c: c.behave("spark1", "disk_full"), "disk_full", "Nothing was changed."),
        (lambda c: c.behave("spark2", "disk_full"), "disk_full", "Nothing was changed."),
    ],
    ids=["no network", "no registry", "disk full", "other disk full"],
)
async def test_a_failure_says_why_and_leaves_everything_as_it_was(software, trouble, code, undone):
    before = software.ids()
    commit = (await software.get()).checkouts[0].commit
    await trouble(software.cluster)
    await software.apply(id="one")
    view = await software.ended("one")
    assert (view.state, view.cause.code) == ("failed", code), view
    assert undone in view.message
    assert view.cause.action
    assert software.ids() == before
    assert (await software.get()).checkouts[0].commit == commit
    assert software.kept() == set()


async def test_a_copy_that_breaks_off_is_undone_on_both(software):
    software.slow_down()
    before = software.ids()
    await software.apply(id="one")
    await software.until("one", lambda view: view.step == "pulling")
    await software.cluster.behave("spark2", "disk_full")
    software.hurry()
    view = await software.ended("one")
    assert (view.state, view.cause.code) == ("failed", "disk_full"), view
    assert "the other Spark" in view.cause.sentence
    assert "Everything is as it was before." in view.message
    assert software.ids() == before


async def test_a_spark_that_is_away_is_named_and_its_last_state_is_stale(software):
    await software.get()
    await software.cluster.behave("spark2", "unreachable")
    with pytest.raises(HostUnreachableError):
        await software.apply()
    view = await software.get(refresh=True)
    (_, spark2) = view.checkouts
    assert spark2.stale
    assert spark2.commit is not None
    assert "Spark 2" in spark2.problem
    assert not view.can_apply
    alone = await software.apply(hosts=["spark1"], id="alone")
    assert alone.hosts == ["spark1"]
    assert (await software.ended("alone")).state == "complete"
    assert software.ids()[0] != software.ids()[1]


async def test_only_two_generations_are_kept(software):
    for host in software.cluster.hosts.values():
        for month in ("09", "10"):
            kept = f"vllm-node:before-2026{month}01T000000Z-unknown"
            host.engine.images.put(kept, month * 32)
    await software.apply(id="one")
    view = await software.ended("one")
    assert view.state == "complete", view
    assert len(software.kept()) == 2
    assert not any("20260901" in tag for tag in software.kept())
    assert view.message.endswith(
        "Older kept images on Spark 1 were removed. Older kept images on Spark 2 were removed."
    )


async def test_a_kept_image_that_somebody_removed_on_one_spark_is_told(software):
    await software.apply(id="one")
    await software.ended("one")
    images = software.cluster.hosts["spark2"].engine.images
    (kept,) = (tag for tag in images.by_tag if ":before-" in tag)
    images.drop(kept)
    await software.revert(id="back")
    view = await software.ended("back")
    assert view.state == "complete"
    assert view.message.endswith(
        "Spark 1 and Spark 2 have different versions of the image vllm-node."
    )
