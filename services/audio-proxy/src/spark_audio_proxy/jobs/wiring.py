"""Puts the jobs together."""

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.jobs.routes import JobRoutes
from spark_audio_proxy.jobs.store import JobStore
from spark_audio_proxy.jobs.working import AudioJobs
from spark_audio_proxy.wiring import Hearing
from spark_common.bus.port import Bus
from spark_common.clock import Clock


def wire_jobs(hearing: Hearing, store: JobStore, bus: Bus, clock: Clock) -> Feature:
    """Wire them; they tell of themselves where there is a bus."""
    jobs = AudioJobs(store, bus, clock)
    routes = JobRoutes(
        hearing.reception, hearing.transcripts, hearing.speaker_work, jobs, store, clock
    )
    return Feature(routers=(routes.router(),), close=jobs.close)
