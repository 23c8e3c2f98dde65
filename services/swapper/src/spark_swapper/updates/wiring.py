"""Puts the parts of cluster software together on real Sparks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_common.jobs import JobRecords, JobRunner
from spark_common.remote import RemoteShell
from spark_common.remote.detached import DetachedSteps
from spark_common.settings import ClusterSettings
from spark_swapper.records.store import JobStore, LeaseGate
from spark_swapper.updates import causes
from spark_swapper.updates.effects import Effects
from spark_swapper.updates.following import Following
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.plan import Builds
from spark_swapper.updates.record import UPDATES, UpdateRecord
from spark_swapper.updates.requesting import Busy, OtherWork, Requesting
from spark_swapper.updates.restoring import Restoring
from spark_swapper.updates.verbs import UpdateVerbs
from spark_swapper.updates.waiting import Waiting
from spark_swapper.updates.working import UpdateWork

_WAITS = frozenset({Phase.QUEUED, Phase.PREFLIGHT})
"""Phases in which a swap looks once more, before it touches anything, whether we are at work."""


@dataclass(frozen=True)
class UpdatePart:
    """What the service needs of it: the verbs, and the loops that carry on and look."""

    verbs: UpdateVerbs
    runner: JobRunner[UpdateRecord]
    look: SoftwareLook


def wire_updates(
    *,
    bus: Bus,
    shell: RemoteShell,
    clock: Clock,
    cluster: ClusterSettings,
    images: Callable[[], tuple[str, ...]],
    records: JobRecords[UpdateRecord],
    swaps: JobStore,
    gate: LeaseGate,
    download: Busy,
    changed: Callable[[], Awaitable[None]],
    poll_seconds: float,
) -> UpdatePart:
    """Wire; starts nothing. ``images`` are the tags that recipes use; ``changed`` is told."""
    directory, default_image = cluster.vllm_dir, cluster.vllm_image

    def tags() -> tuple[str, ...]:
        return tuple(dict.fromkeys((default_image, *images())))

    look = SoftwareLook(shell, cluster.hosts, directory, tags, clock)
    builds = Builds(directory, default_image, tags)
    steps, effects = DetachedSteps(shell), Effects(shell, directory)
    waiting = Waiting(look, clock, poll_seconds)

    async def swap() -> str | None:
        live = await swaps.live()
        return live[0].id if live else None

    async def in_the_way() -> Cause | None:
        at_work = next((job for job in await swaps.live() if job.phase not in _WAITS), None)
        if at_work is not None:
            return causes.swap_running(at_work.model_name or at_work.model)
        return causes.download_running() if await download() else None

    restoring = Restoring(look, effects, steps, waiting, default_image, in_the_way)

    async def after(_: UpdateRecord) -> None:
        await look.look()
        await changed()

    runner: JobRunner[UpdateRecord] = JobRunner(
        kind=UPDATES,
        store=records,
        bus=bus,
        clock=clock,
        work=UpdateWork(
            look,
            builds,
            effects,
            Following(steps, clock, poll_seconds),
            restoring,
            waiting,
            in_the_way,
        ),
        after=after,
    )
    requesting = Requesting(runner, look, builds, gate, OtherWork(swap, download), clock)
    return UpdatePart(UpdateVerbs(runner, requesting, look, steps, default_image), runner, look)
