"""One HTTP question of a check, and how whatever goes wrong with it is understood."""

import json
import re
from typing import Any

import httpx

from spark_common.clock import Clock
from spark_health.deep.gpu_errors import gpu_error_in
from spark_health.deep.ports import Outcome, Trouble

CONNECT_SECONDS = 5.0
MOST_BYTES = 8_000_000
REFUSED = "connection refused"
_LOADING = re.compile(rb"load|warm|initiali|starting|not ready", re.IGNORECASE)


class JobFailedError(Exception):
    """The job is over; ``outcome`` says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


class Answer:
    """A 2xx answer: its bytes and how long it took."""

    def __init__(self, body: bytes, content_type: str, seconds: float) -> None:
        self.body = body
        self.content_type = content_type
        self.latency_ms = round(1000 * seconds, 1)

    def json(self) -> dict[str, Any]:
        """Return the object in it. Raises JobFailedError."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self.wrong("it answered something that is no JSON object")
        return value

    def wrong(self, sentence: str, **facts: Any) -> JobFailedError:
        """Return that the answer is not what was asked for."""
        return JobFailedError(Outcome("failing", sentence, self.latency_ms, facts=facts))


async def ask(
    http: httpx.AsyncClient,
    clock: Clock,
    method: str,
    url: str,
    *,
    seconds: float,
    **options: Any,
) -> Answer:
    """Ask once, within ``seconds`` in all. Raises JobFailedError for everything but a 2xx."""
    began = clock.monotonic()
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    sent = False
    try:
        async with http.stream(method, url, timeout=timeout, **options) as response:
            sent = True
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise JobFailedError(Outcome("failing", "its answer does not end"))
                if clock.monotonic() - began > seconds:
                    raise httpx.ReadTimeout("the whole answer took too long")
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise JobFailedError(_nobody(error)) from error
    except httpx.TimeoutException as error:
        sentence = f"busy: no answer within {seconds:.0f} s"
        raise JobFailedError(Outcome("busy", sentence, trouble="silent")) from error
    except httpx.HTTPError as error:
        how = "in the middle of its answer" if sent else "instead of an answer"
        raise JobFailedError(
            Outcome(
                "failing",
                f"it closed the connection {how}",
                trouble="cut_off",
                evidence=(f"connection closed {how}",),
            )
        ) from error
    except (httpx.InvalidURL, ValueError) as error:
        raise JobFailedError(Outcome("failing", "its address cannot be used")) from error
    passed = clock.monotonic() - began
    if not response.is_success:
        raise JobFailedError(_refusal(response.status_code, bytes(body), 1000 * passed))
    return Answer(bytes(body), response.headers.get("content-type", ""), passed)


def _nobody(error: Exception) -> Outcome:
    if isinstance(error, httpx.ConnectTimeout):
        return Outcome("down", f"it cannot be reached within {CONNECT_SECONDS:.0f} s")
    return Outcome("down", "nobody listens there", evidence=(REFUSED,))


def _refusal(status: int, body: bytes, ms: float) -> Outcome:
    fault = gpu_error_in(body.decode("utf-8", "replace"))
    said = f"HTTP {status}"
    latency = round(ms, 1)
    trouble: Trouble
    if status >= 500 and fault is not None:
        trouble, seen = "gpu_error", (said, fault)
        return Outcome("failing", f"its GPU failed ({said})", latency, trouble, evidence=seen)
    if status == 429:
        return Outcome("busy", "it has too much to do to take another job (HTTP 429)", latency)
    if status == 503:
        # Loading takes minutes, and a full queue passes: neither is cured by a restart.
        what = "it is loading its model" if _LOADING.search(body[:4096]) else "it is not ready"
        return Outcome("loading", f"{what} ({said})", latency)
    if status >= 500 and status != 501:
        trouble = "server_error"
        sentence = f"it fails at a job that it can do ({said})"
        return Outcome("failing", sentence, latency, trouble, evidence=(said,))
    return Outcome("failing", f"it refuses the job ({said})", latency, evidence=(said,))
