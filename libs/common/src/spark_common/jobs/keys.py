"""Every Redis key of jobs, built here and nowhere else. ``kind`` is the job's word."""


def job(kind: str, id: str) -> str:
    """Hash of one job: record, revision, writer, over, body_sha256, cancelled_by."""
    return f"sc:{kind}:job:{id}"


def live(kind: str) -> str:
    """Sorted set of the ids that are not over, by time of acceptance."""
    return f"sc:{kind}:live"


def index(kind: str) -> str:
    """Sorted set of the latest ids, by time of acceptance."""
    return f"sc:{kind}:index"


def busy(kind: str) -> str:
    """Hash from an exclusive word to the id of the living job that has it."""
    return f"sc:{kind}:busy"


def writer(kind: str) -> str:
    """Counter of the processes that took over; never deleted, never reset."""
    return f"sc:{kind}:writer"
