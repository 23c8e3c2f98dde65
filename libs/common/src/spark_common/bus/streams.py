"""Every stream and durable consumer of the product, as plain values.

All of them are files with limits: commands keep one message per subject, so that an id is
accepted once even after a restart; "queue" behaviour comes from the durable consumer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spark_common.bus.patterns import matches

_DAY = 24 * 3600.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ConsumerSpec:
    """A durable pull consumer with explicit acknowledgement. Times in seconds."""

    name: str
    subject: str
    ack_wait_seconds: float = 15.0
    max_deliver: int = 5
    """Deliveries before it becomes a dead letter; -1 is for ever."""
    max_ack_pending: int = 1


@dataclass(frozen=True)
class Republish:
    """Copies of stored messages for those who only know the short subject."""

    source: str
    destination: str
    """In NATS' own notation: ``swap.{{wildcard(1)}}``."""


@dataclass(frozen=True)
class StreamSpec:
    """A stream on disk. Ages in seconds, sizes in bytes."""

    name: str
    subjects: tuple[str, ...]
    description: str
    max_age_seconds: float
    max_messages: int
    max_bytes: int
    max_message_bytes: int = -1
    max_per_subject: int = -1
    refuse_when_full: bool = False
    """Refuse new messages loudly instead of dropping old ones silently."""
    one_per_subject: bool = False
    """A second message on a subject is refused for as long as the first is kept."""
    permanent: bool = False
    """Nobody can delete or purge messages."""
    duplicate_window_seconds: float = 120.0
    republish: Republish | None = None
    consumers: tuple[ConsumerSpec, ...] = ()

    def owns(self, subject: str) -> bool:
        """Say whether a message on ``subject`` is stored here."""
        return any(matches(pattern, subject) for pattern in self.subjects)


_WEBHOOK = "webhook"
_ACCOUNTS = "accounts"


def _told(name: str, subject: str) -> ConsumerSpec:
    """Return a durable consumer that has to see every event, however long it takes."""
    return ConsumerSpec(name, subject, ack_wait_seconds=30.0, max_deliver=-1, max_ack_pending=16)


_TOLD_IN_ORDER = ConsumerSpec(
    # One at a time: what a killed worker held comes again before anything newer.
    _WEBHOOK,
    ">",
    ack_wait_seconds=10.0,
    max_deliver=-1,
)


STREAMS: tuple[StreamSpec, ...] = (
    StreamSpec(
        name="SC_INGRESS",
        subjects=("swap.requested",),
        description="swap requests as automations publish them, before admission",
        max_age_seconds=7 * _DAY,
        max_messages=10_000,
        max_bytes=10 * _MEGABYTE,
        max_message_bytes=65_536,
        refuse_when_full=True,
        consumers=(ConsumerSpec("swapper-ingress", "swap.requested", ack_wait_seconds=10.0),),
    ),
    StreamSpec(
        name="SC_SWAP_CMD",
        subjects=("swap.requested.*", "swap.cancel.*"),
        description="admitted swaps and cancellations; full means too many in thirty days",
        max_age_seconds=30 * _DAY,
        max_messages=100_000,
        max_bytes=200 * _MEGABYTE,
        max_message_bytes=65_536,
        refuse_when_full=True,
        one_per_subject=True,
        permanent=True,
        consumers=(
            # For ever: whoever is killed while telling that a swap is poison tells it again.
            ConsumerSpec("swapper", "swap.requested.*", max_deliver=-1),
            # One at a time like the swaps, a cancellation would wait behind what it cancels.
            ConsumerSpec("swapper-cancel", "swap.cancel.*", max_ack_pending=8),
        ),
    ),
    StreamSpec(
        name="SC_SWAP_EVT",
        subjects=("swap.complete.*", "swap.failed.*"),
        description="the one outcome of every swap",
        max_age_seconds=90 * _DAY,
        max_messages=100_000,
        max_bytes=200 * _MEGABYTE,
        republish=Republish("swap.*.*", "swap.{{wildcard(1)}}"),
        consumers=(_TOLD_IN_ORDER, _told(_ACCOUNTS, ">")),
    ),
    StreamSpec(
        name="SC_SWAP_ADM",
        subjects=("swap.accepted.*", "swap.rejected.*"),
        description="how every swap request was answered",
        max_age_seconds=90 * _DAY,
        max_messages=100_000,
        max_bytes=100 * _MEGABYTE,
    ),
    StreamSpec(
        name="SC_PROGRESS",
        subjects=("swap.progress.*",),
        description="phases, percentages and log lines of swaps, for a day",
        max_age_seconds=_DAY,
        max_messages=1_000_000,
        max_bytes=500 * _MEGABYTE,
        max_per_subject=20_000,
    ),
    StreamSpec(
        name="SC_JOB_EVT",
        subjects=(
            "download.complete.*",
            "download.failed.*",
            "update.complete.*",
            "update.failed.*",
            "install.complete.*",
            "install.failed.*",
            "overlay.complete.*",
            "overlay.failed.*",
        ),
        description="the one outcome of every download, update, installation and overlay",
        max_age_seconds=90 * _DAY,
        max_messages=100_000,
        max_bytes=100 * _MEGABYTE,
        republish=Republish("*.*.*", "{{wildcard(1)}}.{{wildcard(2)}}"),
    ),
    StreamSpec(
        name="SC_JOB_PROGRESS",
        subjects=(
            "download.progress.*",
            "update.progress.*",
            "install.progress.*",
            "overlay.progress.*",
        ),
        description="steps, bytes and log lines of downloads, updates and the like, for a day",
        max_age_seconds=_DAY,
        max_messages=500_000,
        max_bytes=200 * _MEGABYTE,
        max_per_subject=20_000,
    ),
    StreamSpec(
        name="SC_LEASE_EVT",
        subjects=("lock.*",),
        description="the life of every lease, and the line of those who wait",
        max_age_seconds=90 * _DAY,
        max_messages=100_000,
        max_bytes=25 * _MEGABYTE,
        consumers=(_TOLD_IN_ORDER, _told(_ACCOUNTS, ">")),
    ),
    StreamSpec(
        name="SC_SCHED_EVT",
        subjects=("schedule.*",),
        description="what was scheduled, came due, ran or was missed",
        max_age_seconds=90 * _DAY,
        max_messages=100_000,
        max_bytes=15 * _MEGABYTE,
        consumers=(_TOLD_IN_ORDER,),
    ),
    StreamSpec(
        name="SC_HEALTH",
        subjects=("health.transition.*", "health.checked.*", "service.action"),
        description="every change of state, and what was done about it",
        max_age_seconds=90 * _DAY,
        max_messages=50_000,
        max_bytes=25 * _MEGABYTE,
        republish=Republish("health.transition.*", "health.transition"),
        consumers=(_TOLD_IN_ORDER,),
    ),
    StreamSpec(
        name="SC_PROBES",
        subjects=("health.probe.requested", "health.report"),
        description="what services and automations tell the health service",
        max_age_seconds=30 * _DAY,
        max_messages=50_000,
        max_bytes=10 * _MEGABYTE,
        max_message_bytes=65_536,
        consumers=(
            # Settled when the check has been told; whoever is killed in it does it again soon.
            ConsumerSpec("health", "health.probe.requested", max_ack_pending=16),
        ),
    ),
    StreamSpec(
        name="SC_DLQ",
        subjects=(
            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
            "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
        ),
        description="dead letters: what no worker could handle",
        max_age_seconds=30 * _DAY,
        max_messages=10_000,
        max_bytes=10 * _MEGABYTE,
    ),
)


def stream_of(subject: str, streams: Iterable[StreamSpec] = STREAMS) -> StreamSpec | None:
    """Return the stream that stores ``subject``, or None when nobody does."""
    return next((spec for spec in streams if spec.owns(subject)), None)
