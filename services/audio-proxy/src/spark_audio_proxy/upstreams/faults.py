"""How a speech server fails, as far as one answer tells it. What it wrote is not kept."""

import re
from typing import Final

from pydantic import JsonValue

from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_audio_proxy.upstreams.asking import Answer

_CUDA: Final = re.compile(
    r"cuda|cublas|cufft|cudnn|illegal memory access|device-side assert", re.IGNORECASE
)
_NO_MEMORY: Final = re.compile(
    r"out of memory|ALLOC_FAILED|cudaErrorMemoryAllocation", re.IGNORECASE
)
"""Fails one job, and the next one may do."""
_LOADING: Final = re.compile(
    r"\bloading\b|starting up|not (?:yet )?(?:ready|loaded)", re.IGNORECASE
)
_MOST_LOOKED_AT: Final = 20_000
_RECOVERY_SECONDS: Final = 60.0


class SpeechFaultError(SpeechError):
    """A server on a Spark failed at a job that it was asked to do."""

    def __init__(
        self,
        code: ProblemCode,
        message: str,
        *,
        status: int | None = None,
        cuda: bool = False,
        broke_off: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message, retry_after=retry_after)
        self.status = status
        """What it answered; None where the connection broke."""
        self.cuda = cuda
        """Its words name the GPU: nothing heals that but a restart."""
        self.broke_off = broke_off
        """The connection ended in the middle of a job."""

    @property
    def suspicious(self) -> bool:
        """Whether it may be stuck, so that real work has to be put through it."""
        return self.cuda or self.broke_off or (self.status or 0) == 500


def fault_of(answer: Answer, title: str) -> SpeechFaultError:
    """Return what an answer that is no success means; its body has been read."""
    words = answer.text[:_MOST_LOOKED_AT]
    status = answer.status
    if status == 503 and (_code(answer) == "loading" or _LOADING.search(words)):
        return SpeechFaultError(
            "upstream_loading",
            f"{title} is loading its model; try again soon",
            status=status,
            retry_after=_seconds(answer) or 30.0,
        )
    if status == 429:
        return SpeechFaultError(
            "queue_full", f"{title} is busy", status=status, retry_after=_seconds(answer) or 10.0
        )
    if status == 503 and _code(answer) == "diarizer_unavailable":
        return SpeechFaultError(
            "diarization_unavailable", f"{title} has no model that tells speakers", status=status
        )
    if status >= 500:
        return SpeechFaultError(
            "upstream_recovering",
            f"{title} failed at this recording and is being looked at; try again in a minute",
            status=status,
            cuda=_CUDA.search(words) is not None and not _NO_MEMORY.search(words),
            retry_after=_RECOVERY_SECONDS,
        )
    return SpeechFaultError(
        "upstream_bad_response",
        f"{title} refused a recording that is fine here (status {status})",
        status=status,
    )


def broken_off(title: str) -> SpeechFaultError:
    """Return the fault of a connection that ended during a job."""
    return SpeechFaultError(
        "upstream_recovering",
        f"{title} ended the connection in the middle of its work; try again in a minute",
        broke_off=True,
        retry_after=_RECOVERY_SECONDS,
    )


def _code(answer: Answer) -> str | None:
    try:
        body: JsonValue = answer.json()
    except ValueError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def _seconds(answer: Answer) -> float | None:
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds < 3600 else None
