"""One look over HTTP, told apart by how it went wrong."""

from dataclasses import dataclass
from typing import Literal

import httpx

from spark_health.watching.first.checked_http import ForbiddenTargetError

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class HttpLook:
    """What came back. ``silent``: connected, and then nothing, as a server that is busy does."""

    outcome: Literal["answered", "refused", "unreachable", "silent", "broken", "forbidden"]
    status: int = 0
    body: bytes = b""
    why: str = ""
    """Why nobody asks at its address, where it is forbidden; goes on after "its address"."""

    @property
    def ok(self) -> bool:
        """Whether it answered 2xx."""
        return self.outcome == "answered" and 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """Return what happened in a few plain words."""
        match self.outcome:
            case "answered":
                return f"answers HTTP {self.status}"
            case "refused":
                return "nothing listens on its port"
            case "unreachable":
                return f"cannot be reached within {_CONNECT_SECONDS:g} s"
            case "silent":
                return f"takes connections and does not answer within {_READ_SECONDS:g} s"
            case "forbidden":
                return f"is not asked: its address {self.why}"
            case _:
                return "ends the connection without an answer, or speaks no HTTP"


async def look(client: httpx.AsyncClient, url: str) -> HttpLook:
    """Ask once, in eight seconds at most; raises nothing."""
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    try:
        async with client.stream("GET", url, timeout=timeout) as answer:
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) >= _MOST_BYTES:
                    break
            return HttpLook("answered", answer.status_code, body[:_MOST_BYTES])
    except ForbiddenTargetError as error:
        return HttpLook("forbidden", why=str(error))
    except httpx.ConnectTimeout:
        return HttpLook("unreachable")
    except httpx.ConnectError as error:
        refused = (
            isinstance(_root(error), ConnectionRefusedError) or "refused" in str(error).lower()
        )
        return HttpLook("refused" if refused else "unreachable")
    except httpx.TimeoutException:
        return HttpLook("silent")
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError):
        return HttpLook("broken")


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
