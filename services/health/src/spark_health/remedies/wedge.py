"""Whether a service is stuck so that only a restart helps. Busy, loading and gone are not."""

from collections.abc import Sequence
from dataclasses import dataclass

from spark_health.deep.ports import Outcome

SILENT_TWICE = 2


@dataclass(frozen=True)
class Wedge:
    """Why a restart is the remedy."""

    reason: str
    evidence: tuple[str, ...]


def wedge_of(outcome: Outcome, silent: int, log_errors: Sequence[str]) -> Wedge | None:
    """Judge two jobs in a row that went alike.

    ``outcome``: what both showed (``DeepRunner`` does the second one). ``silent``: checks in a
    row without any answer. ``log_errors``: faults of the GPU in its log since it last worked.
    """
    seen = tuple(dict.fromkeys((*outcome.evidence, *(f"log: {line}" for line in log_errors))))
    match outcome.trouble:
        case "gpu_error":
            return Wedge("two jobs in a row failed with a fault of the GPU", seen)
        case "server_error" if log_errors:
            return Wedge("two jobs in a row failed, and its log names a fault of the GPU", seen)
        case "server_error":
            return Wedge("it failed twice at a job that it can do", seen)
        case "cut_off":
            return Wedge("it closed the connection twice instead of doing the job", seen)
        case "silent" if silent >= SILENT_TWICE and log_errors:
            # Silence alone is what an hour of speech looks like from outside.
            return Wedge(
                f"it has not answered {silent} checks in a row since a fault of the GPU", seen
            )
        case _:
            return None
