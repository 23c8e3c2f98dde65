"""What may be told of a job: lines that fit one event, and no secret of another program's."""

from collections.abc import Iterable, Sequence

from spark_common.contracts.swaps import Cause
from spark_common.logs.redact import mask_secrets

_LINES_PER_EVENT = 200
_LINE_CHARACTERS = 4000
_BYTES_PER_EVENT = 200_000
"""An event must stay well below the bus's one megabyte."""


def presentable(lines: Iterable[str]) -> list[str]:
    """Return lines that a program printed as people may see them."""
    return [mask_secrets(line[:_LINE_CHARACTERS])[:_LINE_CHARACTERS] for line in lines]


def masked(cause: Cause) -> Cause:
    """Return a cause whose decisive lines, quoted from other programs, hold no secret."""
    return cause.model_copy(update={"evidence": [mask_secrets(line) for line in cause.evidence]})


def fitting(lines: Sequence[str]) -> list[str]:
    """Return the last lines that fit one event, and say how many were left out."""
    kept: list[str] = []
    size = 0
    for line in reversed(lines):
        size += len(line.encode())
        if len(kept) == _LINES_PER_EVENT or size > _BYTES_PER_EVENT:
            break
        kept.append(line)
    kept.reverse()
    left_out = len(lines) - len(kept)
    return [f"... {left_out} lines left out ...", *kept] if left_out else kept
