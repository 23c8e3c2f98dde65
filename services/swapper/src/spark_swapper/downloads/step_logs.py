"""What the programs of a download wrote on the Sparks."""

from spark_common.contracts.jobs import JobLog
from spark_common.errors import SparkError
from spark_swapper.downloads.hub_words import plain_lines
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.sparks import DownloadSparks

_LINES = 500


async def read_step_logs(sparks: DownloadSparks, record: DownloadJob) -> JobLog:
    """Return the end of all of it. Raises what a silent Spark raises when nobody answers."""
    lines: list[str] = []
    complete = True
    silent: SparkError | None = None
    for host, step in _steps(record):
        try:
            text, whole = await sparks.end_of_log(host, record.id, step)
        except SparkError as error:
            silent, complete = error, False
            continue
        lines.extend(plain_lines(text))
        complete = complete and whole
    if silent is not None and not lines:
        raise silent
    return JobLog(lines=lines[-_LINES:], complete=complete and len(lines) <= _LINES)


def _steps(record: DownloadJob) -> list[tuple[str, str]]:
    """Return (host, step) of everything that may have run, in order."""
    found = []
    if record.source is not None and record.must_fetch:
        found += [(record.source, f"fetch-{record.source}-{n}") for n in _runs(record.fetch_run)]
    for host in record.hosts:
        if record.source is not None and host != record.source:
            found += [(record.source, f"copy-{host}-{n}") for n in _runs(record.copy_run)]
            # Where no copy was possible.
            found += [(host, f"fetch-{host}-{n}") for n in _runs(record.fetch_run)]
    return found


def _runs(latest: int) -> range:
    return range(1, latest + 1)
