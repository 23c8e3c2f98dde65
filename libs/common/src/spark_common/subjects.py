"""Where messages live: every subject of the bus is built here and nowhere else."""

SWAP_INGRESS = "swap.requested"
"""Bare requests of automations."""

MENU_CHANGED = "menu.changed"
"""Core hint: ask the swapper for the menu again."""

SETTINGS_CHANGED = "settings.changed"
"""Core hint: read the owner's settings again."""

KEYS_CHANGED = "keys.changed"
"""Core hint: read the API keys again."""

HEALTH_PROBE = "health.probe.requested"
"""Command to the health service: a deep check now."""

HEALTH_REPORT = "health.report"
"""How a service served an outside app."""

SERVICE_ACTION = "service.action"
"""Event: something was done with a service, or with a Spark as a machine."""


AUDIO_SUSPECT = "audio.suspect"
"""Event: the speech server may be stuck. Core only."""

AUDIO_STATE = "audio.state"
"""Event: the speech server is in another state. Core only."""

AUDIO_REQUEST_DONE = "audio.request.done"
"""Event: a request for speech is over. Core only."""


def lock_event(word: str) -> str:
    """Event of the lease: ``acquired``, ``expiring``, ``queue``, ...; stored, one subject each."""
    return f"lock.{word}"


def schedule_event(word: str) -> str:
    """Event of a schedule: ``registered``, ``removed``, ``due``, ``finished``, ``missed``."""
    return f"schedule.{word}"


def health_transition(target: str) -> str:
    """Event: a host, service or model changed its state. Republished as ``health.transition``."""
    return f"health.transition.{target}"


def health_checked(target: str) -> str:
    """Event: a deep check is over that was asked for, or that came to something else."""
    return f"health.checked.{target}"


def swap_start(swap_id: str) -> str:
    """Durable command of an admitted swap."""
    return f"swap.requested.{swap_id}"


def swap_cancel(swap_id: str) -> str:
    """Durable command to cancel."""
    return f"swap.cancel.{swap_id}"


def swap_accepted(swap_id: str) -> str:
    """Event: admitted."""
    return f"swap.accepted.{swap_id}"


def swap_rejected(swap_id: str) -> str:
    """Event: refused."""
    return f"swap.rejected.{swap_id}"


def swap_progress(swap_id: str) -> str:
    """Progress, replayable for a day."""
    return f"swap.progress.{swap_id}"


def swap_complete(swap_id: str) -> str:
    """Outcome: serving. Republished as ``swap.complete``."""
    return f"swap.complete.{swap_id}"


def swap_failed(swap_id: str) -> str:
    """Outcome: not serving. Republished as ``swap.failed``."""
    return f"swap.failed.{swap_id}"


def dry_run_answer(swap_id: str) -> str:
    """Id under which a dry run by event is answered, so that the swap's own outcome stays free.

    The event itself names the swap as it was asked for.
    """
    return f"{swap_id}:dry-run"


def job_progress(kind: str, job_id: str) -> str:
    """Progress of a job that is no swap (``download``, ``update``), replayable for a day."""
    return f"{kind}.progress.{job_id}"


def job_complete(kind: str, job_id: str) -> str:
    """Outcome: done. Republished as ``<kind>.complete``."""
    return f"{kind}.complete.{job_id}"


def job_failed(kind: str, job_id: str) -> str:
    """Outcome: failed or cancelled. Republished as ``<kind>.failed``."""
    return f"{kind}.failed.{job_id}"


def job_outcomes(kind: str, job_id: str) -> str:
    """Filter over both outcomes of one job; the first one stored wins."""
    return f"{kind}.*.{job_id}"


def audio_job(job_id: str) -> str:
    """Event: a job about a long recording changed. Core only."""
    return f"audio.job.{job_id}"


def redaction_audit(action: str) -> str:
    """Event: redaction did something, or refused it; ``scrub``, ``erase``, ... Core only."""
    return f"redaction.audit.{action}"
