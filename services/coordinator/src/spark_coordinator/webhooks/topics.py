"""Which events a target is told of."""

from collections.abc import Mapping

from spark_common.contracts.webhooks import Topic
from spark_common.envelope import Envelope

STREAM_OF: Mapping[Topic, str] = {
    "swap": "SC_SWAP_EVT",
    "lock": "SC_LEASE_EVT",
    "schedule": "SC_SCHED_EVT",
    "health": "SC_HEALTH",
    "service": "SC_HEALTH",
}
"""Where the events of each topic are kept."""

UNTOLD = frozenset({"health.checked"})
"""Types of these streams that are for programs: what came of a check is told as what is done."""

STREAMS = tuple(dict.fromkeys(STREAM_OF.values()))


def short_type(envelope: Envelope) -> str:
    """Return ``swap.complete`` of ``spark.swap.complete.v1``."""
    name = envelope.type.removeprefix("spark.")
    head, _, version = name.rpartition(".")
    return head if version.startswith("v") and version[1:].isdigit() else name


def topic_of(envelope: Envelope) -> Topic | None:
    """Return the topic of an event; None for what nobody is told, such as a dry run."""
    match short_type(envelope).split(".")[0]:
        case "swap":
            return None if envelope.data.get("dry_run") is True else "swap"
        case "lock":
            return "lock"
        case "schedule":
            return "schedule"
        case "health":
            # Announced maintenance is no news: the log keeps what happened in it.
            untold = short_type(envelope) in UNTOLD or envelope.data.get("maintenance") is True
            return None if untold else "health"
        case "service":
            return "service"
        case _:
            return None
