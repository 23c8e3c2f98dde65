"""What those hear who cannot wait, or waited in vain."""

from typing import Final

from spark_gateway.dataplane.ports import Field, Refusal
from spark_gateway.dataplane.refusals import refuse

_RETRY_SECONDS: Final = 15
_SOON: Final[tuple[Field, ...]] = (
    (b"retry-after", b"%d" % _RETRY_SECONDS),
    (b"x-should-retry", b"true"),
)


def full(path: bytes, own: int) -> Refusal:
    """Nobody can wait any more: 429 for who fills the line, 503 for everybody else."""
    if own:
        message = f"{own} requests of yours wait already; try again when some are answered"
        return refuse(path, 429, "too_many_requests", message, headers=_SOON)
    message = "too many requests wait already; try again in a moment"
    return refuse(path, 503, "server_busy", message, headers=_SOON)


def displaced(path: bytes) -> Refusal:
    """Somebody came who has fewer waiting."""
    message = (
        "the line is full and most of it is yours: this request made room for somebody else's; "
        "send fewer at once"
    )
    return refuse(path, 429, "too_many_requests", message, headers=_SOON)


def too_long(path: bytes) -> Refusal:
    """It waited for as long as anybody may."""
    message = "the request waited too long for its turn; try again in a moment"
    return refuse(path, 503, "queue_timeout", message, headers=_SOON)
