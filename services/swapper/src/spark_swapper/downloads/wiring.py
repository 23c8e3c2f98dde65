"""Puts the parts of downloads together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import JobRecords, JobRunner
from spark_swapper.downloads.checking import Checking
from spark_swapper.downloads.copying import Copying
from spark_swapper.downloads.fetching import Fetching
from spark_swapper.downloads.others import OtherWork
from spark_swapper.downloads.record import DOWNLOADS, DownloadJob
from spark_swapper.downloads.room import Room
from spark_swapper.downloads.settings import DownloadTimings
from spark_swapper.downloads.slots import Slots
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.steps import Following
from spark_swapper.downloads.verbs import DownloadVerbs
from spark_swapper.downloads.work import DownloadWork
from spark_swapper.menu.hosts import Hosts


@dataclass(frozen=True)
class DownloadParts:
    """What the service serves and runs."""

    verbs: DownloadVerbs
    runner: JobRunner[DownloadJob]


def wire_downloads(
    *,
    bus: Bus,
    store: JobRecords[DownloadJob],
    sparks: DownloadSparks,
    hosts: Hosts,
    timings: DownloadTimings,
    clock: Clock,
    expected_bytes: Callable[[str], int | None],
    refresh_menu: Callable[[], Awaitable[object]],
    others: OtherWork | None = None,
) -> DownloadParts:
    """Put downloads together; connects nothing and starts nothing."""
    others = others or OtherWork()
    checking = Checking(sparks, hosts, expected_bytes)
    room = Room(lambda: runner.live())
    following = Following(sparks, timings, clock)
    fetching = Fetching(sparks, following, Slots(), timings, clock)
    copying = Copying(sparks, following, fetching, timings)

    async def after(record: DownloadJob) -> None:
        # Whatever came, also of a download that failed, is on the disks now.
        await refresh_menu()

    work = DownloadWork(
        checking,
        room,
        others,
        fetching,
        copying,
        sparks.label,
        timings.download_poll_seconds,
    )
    runner = JobRunner(
        kind=DOWNLOADS,
        store=store,
        bus=bus,
        clock=clock,
        work=work,
        after=after,
    )
    return DownloadParts(DownloadVerbs(runner, checking, room, others, sparks, clock), runner)
