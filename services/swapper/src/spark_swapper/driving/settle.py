"""Puts an interrupted swap back where the cluster says it is, not where memory says."""

import structlog

from spark_common.contracts.swaps import Phase
from spark_common.errors import SparkError
from spark_swapper import causes, runtime
from spark_swapper.driving.attempt import Attempt
from spark_swapper.launching.candidate import Candidate
from spark_swapper.records.jobs import MAIN_LINE
from spark_swapper.runtime import Runtime

_ON_THE_WAY = (Phase.DRAINING, Phase.STOPPING, Phase.LAUNCHING)
_log = structlog.get_logger()


async def catch_up(attempt: Attempt, cluster: Runtime) -> None:
    """Move a swap forward to the last step that the Sparks' guards have seen.

    The record may be behind: it is written late when Redis was away. A step that was started is
    never started again, because the guard knows it too; here only the phase follows.
    """
    journal = attempt.journal
    seen = await _steps(journal.job.id, cluster)
    if seen & {runtime.ROLLBACK_STOP, runtime.ROLLBACK_LAUNCH}:
        if journal.job.phase is Phase.ROLLING_BACK:
            return
        await _walk(attempt, Phase.STOPPING)
        if journal.job.cause is None:
            await journal.keep(cause=causes.interrupted(), failed_in=journal.job.phase)
        await journal.enter(Phase.ROLLING_BACK, "Bringing the previous model back.")
    elif runtime.LAUNCH in seen:
        await _walk(attempt, Phase.LAUNCHING)
    elif runtime.STOP in seen:
        await _walk(attempt, Phase.STOPPING)


async def skip_what_is_done(attempt: Attempt, cluster: Runtime, candidate: Candidate) -> None:
    """Go on with the first word when the wanted model serves by now, however it came up.

    Before the first effect the pre-flight sees that by itself.
    """
    if attempt.journal.job.phase not in _ON_THE_WAY:
        return
    served = await cluster.served(candidate.head)
    if served is not None and served.repo == candidate.repo:
        await _walk(attempt, Phase.WARMING)


async def _steps(swap_id: str, cluster: Runtime) -> frozenset[str]:
    seen: frozenset[str] = frozenset()
    for host in cluster.hosts:
        try:
            seen |= await cluster.steps(swap_id, host)
        except SparkError as error:
            # Without its word the record counts; the guard still refuses to start a step twice.
            _log.warning("swap.settle_host_silent", swap_id=swap_id, host=host, code=error.code)
    return seen


async def _walk(attempt: Attempt, target: Phase) -> None:
    """Enter the phases of the main line up to ``target``; nothing when already beyond."""
    journal = attempt.journal
    while journal.job.phase in MAIN_LINE:
        at, goal = MAIN_LINE.index(journal.job.phase), MAIN_LINE.index(target)
        if at >= goal:
            return
        await journal.enter(MAIN_LINE[at + 1], "Finding out how far the interrupted swap got.")
