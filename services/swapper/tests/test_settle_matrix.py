"""What becomes of a swap whose worker died: every phase it died in, times what the Sparks show."""

import asyncio
from enum import StrEnum

import pytest

from spark_common.contracts.swaps import TERMINAL, Phase
from spark_swapper import causes, runtime
from spark_swapper.driving import settle
from spark_swapper.records.jobs import MAIN_LINE
from spark_swapper.settings import SwapTimings


class Sight(StrEnum):
    """What a new worker sees when it looks."""

    NOTHING = "nothing"
    OLD_SERVING = "old serving"
    OLD_EMPTY = "old empty"
    """Its container stands there without a process."""
    NEW_LOADING = "new loading"
    NEW_SERVING = "new serving"
    NEW_DEAD = "new dead"
    OTHER_SERVING = "other serving"
    HOST_AWAY = "host away"
    DOCKER_UNCLEAR = "docker silent"
    WORKER_ONLY = "worker only"


TIMINGS = SwapTimings(
    drain_seconds=5,
    stop_seconds=30,
    load_deadline_seconds=150,
    stall_seconds=60,
    appear_seconds=10,
)


def arrange(bench, phase, sight):
    """Let the Sparks look like this, and their guards remember what was ordered until then."""
    cluster, old, new = bench.runtime, bench.old, bench.new
    cluster.clear()
    match sight:
        case Sight.OLD_SERVING:
            cluster.place(old)
        case Sight.OLD_EMPTY:
            cluster.place(old, empty=True)
        case Sight.NEW_LOADING:
            cluster.place(new, age=10)
        case Sight.NEW_SERVING:
            cluster.place(new)
        case Sight.NEW_DEAD:
            cluster.place(new, age=10, empty=True)
        case Sight.OTHER_SERVING:
            cluster.place(bench.wide, hosts=("spark1",))
        case Sight.HOST_AWAY:
            cluster.faults.away = cluster.faults.dark = {"spark1"}
        case Sight.DOCKER_UNCLEAR:
            cluster.place(old)
            cluster.faults.docker_silent = {"spark1"}
        case Sight.WORKER_ONLY:
            cluster.place(bench.wide, hosts=("spark2",))
    cluster.mark("swap-1", "spark1", *ordered(phase, sight))


def ordered(phase, sight):
    """Return the steps that were ordered when the worker died in this phase with this to see."""
    old = sight in (Sight.OLD_SERVING, Sight.OLD_EMPTY)
    new = sight in (Sight.NEW_LOADING, Sight.NEW_SERVING, Sight.NEW_DEAD)
    match phase:
        case Phase.QUEUED | Phase.PREFLIGHT | Phase.DRAINING:
            return ()
        case Phase.STOPPING:
            return () if old or sight is Sight.DOCKER_UNCLEAR else (runtime.STOP,)
        case Phase.LAUNCHING:
            return (runtime.STOP, runtime.LAUNCH) if new else (runtime.STOP,)
        case Phase.ROLLING_BACK:
            back = (runtime.ROLLBACK_STOP, runtime.ROLLBACK_LAUNCH) if old else ()
            return (runtime.STOP, runtime.LAUNCH, runtime.CLEAR, *back)
        case _:
            return (runtime.STOP, runtime.LAUNCH)


async def settled(bench, phase, sight):
    """Return how the swap ends, and the effects of the new worker."""
    bench.timings = TIMINGS
    bench.start()
    arrange(bench, phase, sight)
    facts = {"previous": "gemma", "previous_name": "gemma-served", "rollback": True}
    if phase is Phase.ROLLING_BACK:
        facts |= {"cause": causes.stalled("QWEN", 600, []), "failed_in": Phase.LOADING}
    job = bench.job(**(facts if phase not in (Phase.QUEUED, Phase.PREFLIGHT) else {}))
    walk = MAIN_LINE[1 : MAIN_LINE.index(phase) + 1] if phase in MAIN_LINE else ()
    if phase is Phase.ROLLING_BACK:
        walk = (*MAIN_LINE[1:6], Phase.ROLLING_BACK)
    for step in walk:
        job = job.enter(step, bench.clock.now(), "…")
    await bench.store.admit(bench.job())
    job = job.model_copy(update={"attempt": 2})
    await bench.store.save(job, 1, 1)
    attempt = bench.attempt(job)

    async def worker():
        await settle.catch_up(attempt, bench.runtime)
        await settle.skip_what_is_done(attempt, bench.runtime, bench.new)
        return await bench.runner.run(attempt, bench.new)

    running = asyncio.create_task(worker())
    await bench.until(running.done, 2000)
    end = await running
    effects = [f"{step}:{host[-1]}" for _, host, _, step in bench.runtime.journal]
    code = end.cause.code if end.cause else None
    told = (end.phase.value, code or "-", end.serving or "-", " ".join(effects) or "-")
    return told, end


# Died in, sight, outcome, cause, what serves then, effects of the new worker as step:spark.
OUTCOMES = """
queued      |nothing      |ready      |-               |qwen   |launch:1
queued      |old serving  |ready      |-               |qwen   |stop:1 launch:1
queued      |old empty    |ready      |-               |qwen   |stop:1 launch:1
queued      |new loading  |ready      |-               |qwen   |stop:1 launch:1
queued      |new serving  |ready      |-               |qwen   |-
queued      |new dead     |ready      |-               |qwen   |stop:1 launch:1
queued      |other serving|ready      |-               |qwen   |stop:1 launch:1
queued      |host away    |failed     |host_unreachable|-      |-
queued      |docker silent|failed     |not_stopped     |gemma  |-
queued      |worker only  |ready      |-               |qwen   |stop:2 launch:1
preflight   |nothing      |ready      |-               |qwen   |launch:1
preflight   |old serving  |ready      |-               |qwen   |stop:1 launch:1
preflight   |old empty    |ready      |-               |qwen   |stop:1 launch:1
preflight   |new loading  |ready      |-               |qwen   |stop:1 launch:1
preflight   |new serving  |ready      |-               |qwen   |-
preflight   |new dead     |ready      |-               |qwen   |stop:1 launch:1
preflight   |other serving|ready      |-               |qwen   |stop:1 launch:1
preflight   |host away    |failed     |host_unreachable|-      |-
preflight   |docker silent|failed     |not_stopped     |gemma  |-
preflight   |worker only  |ready      |-               |qwen   |stop:2 launch:1
draining    |nothing      |ready      |-               |qwen   |launch:1
draining    |old serving  |ready      |-               |qwen   |stop:1 launch:1
draining    |old empty    |ready      |-               |qwen   |stop:1 launch:1
draining    |new loading  |ready      |-               |qwen   |stop:1 launch:1
draining    |new serving  |ready      |-               |qwen   |-
draining    |new dead     |ready      |-               |qwen   |stop:1 launch:1
draining    |other serving|ready      |-               |qwen   |stop:1 launch:1
draining    |host away    |failed     |ssh_timeout     |-      |-
draining    |docker silent|failed     |not_stopped     |gemma  |-
draining    |worker only  |ready      |-               |qwen   |stop:2 launch:1
stopping    |nothing      |ready      |-               |qwen   |launch:1
stopping    |old serving  |ready      |-               |qwen   |stop:1 launch:1
stopping    |old empty    |ready      |-               |qwen   |stop:1 launch:1
stopping    |new loading  |rolled_back|not_stopped     |gemma  |rollback-stop:1 rollback-launch:1
stopping    |new serving  |ready      |-               |qwen   |-
stopping    |new dead     |rolled_back|not_stopped     |gemma  |rollback-stop:1 rollback-launch:1
stopping    |other serving|failed     |not_stopped     |minimax|-
stopping    |host away    |failed     |ssh_timeout     |-      |-
stopping    |docker silent|failed     |not_stopped     |gemma  |-
stopping    |worker only  |ready      |-               |qwen   |stop:2 launch:1
launching   |nothing      |ready      |-               |qwen   |launch:1
launching   |old serving  |failed     |occupied        |gemma  |-
launching   |old empty    |rolled_back|name_taken      |gemma  |clear:1 rollback-launch:1
launching   |new loading  |ready      |-               |qwen   |-
launching   |new serving  |ready      |-               |qwen   |-
launching   |new dead     |rolled_back|runtime_died    |gemma  |clear:1 rollback-launch:1
launching   |other serving|failed     |occupied        |minimax|-
launching   |host away    |failed     |ssh_timeout     |-      |-
launching   |docker silent|failed     |displaced       |gemma  |launch:1
launching   |worker only  |ready      |-               |qwen   |launch:1
loading     |nothing      |rolled_back|launch_failed   |gemma  |rollback-launch:1
loading     |old serving  |failed     |displaced       |gemma  |-
loading     |old empty    |rolled_back|runtime_died    |gemma  |clear:1 rollback-launch:1
loading     |new loading  |ready      |-               |qwen   |-
loading     |new serving  |ready      |-               |qwen   |-
loading     |new dead     |rolled_back|runtime_died    |gemma  |clear:1 rollback-launch:1
loading     |other serving|failed     |displaced       |minimax|-
loading     |host away    |failed     |ssh_timeout     |-      |-
loading     |docker silent|failed     |displaced       |gemma  |-
loading     |worker only  |rolled_back|launch_failed   |gemma  |clear:2 rollback-launch:1
warming     |nothing      |rolled_back|launch_failed   |gemma  |rollback-launch:1
warming     |old serving  |failed     |displaced       |gemma  |-
warming     |old empty    |rolled_back|runtime_died    |gemma  |clear:1 rollback-launch:1
warming     |new loading  |ready      |-               |qwen   |-
warming     |new serving  |ready      |-               |qwen   |-
warming     |new dead     |rolled_back|runtime_died    |gemma  |clear:1 rollback-launch:1
warming     |other serving|failed     |displaced       |minimax|-
warming     |host away    |failed     |ssh_timeout     |-      |-
warming     |docker silent|failed     |displaced       |gemma  |-
warming     |worker only  |rolled_back|launch_failed   |gemma  |clear:2 rollback-launch:1
rolling_back|nothing      |rolled_back|stalled         |gemma  |rollback-launch:1
rolling_back|old serving  |rolled_back|stalled         |gemma  |-
rolling_back|old empty    |failed     |stalled         |-      |rollback-clear:1
rolling_back|new loading  |rolled_back|stalled         |gemma  |rollback-stop:1 rollback-launch:1
rolling_back|new serving  |rolled_back|stalled         |gemma  |rollback-stop:1 rollback-launch:1
rolling_back|new dead     |rolled_back|stalled         |gemma  |rollback-stop:1 rollback-launch:1
rolling_back|other serving|failed     |stalled         |minimax|-
rolling_back|host away    |failed     |stalled         |-      |-
rolling_back|docker silent|failed     |stalled         |gemma  |-
rolling_back|worker only  |rolled_back|stalled         |gemma  |rollback-stop:2 rollback-launch:1
"""


def table():
    """Return the expected end by phase and sight."""
    rows = {}
    for line in OUTCOMES.strip().splitlines():
        phase, sight, *told = (cell.strip() for cell in line.split("|"))
        rows[Phase(phase), Sight(sight)] = tuple(told)
    return rows


TABLE = table()


def test_every_phase_and_every_sight_has_an_outcome():
    running = [phase for phase in Phase if phase not in TERMINAL]
    assert set(TABLE) == {(phase, sight) for phase in running for sight in Sight}
    assert len(TABLE) == len(OUTCOMES.strip().splitlines())


@pytest.mark.parametrize(
    ("phase", "sight"), TABLE, ids=[f"{phase.value}-{sight.value}" for phase, sight in TABLE]
)
async def test_an_interrupted_swap_ends_as_the_table_says(bench, phase, sight):
    told, end = await settled(bench, phase, sight)
    assert told == TABLE[phase, sight]
    effects = [(step, host) for _, host, _, step in bench.runtime.journal]
    assert len(effects) == len(set(effects)), "nothing is ordered twice"
    if end.phase is not Phase.READY:
        assert end.message.startswith(end.cause.sentence[:40])
        assert end.cause.sentence
        assert end.cause.action
    served = await bench.runtime.served("spark1") or await bench.runtime.served("spark2")
    assert end.serving == (bench.shelf.key_for(served.repo) if served else None)


@pytest.mark.parametrize("phase", sorted(TERMINAL))
async def test_an_end_that_is_recorded_is_told_and_nothing_is_done(bench, phase):
    job = bench.job()
    await bench.store.admit(job)
    over = job.model_copy(update={"phase": phase, "finished_at": bench.clock.now(), "revision": 2})
    if phase is not Phase.READY:
        over = over.model_copy(update={"cause": causes.stalled("QWEN", 600, [])})
    await bench.store.finish(over, 1, 1)
    assert (await bench.outcomes.publish(over)).phase is phase
    assert bench.runtime.journal == []
