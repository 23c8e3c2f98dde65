"""The door of everything that is not the data plane: the dashboard's ``/api``, and ``/v1/models``.

It stands before routes and before a body is read. While keys are off it is not there.
"""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_common.settings.policies import KeySettings
from spark_gateway.dialect import is_v1
from spark_gateway.errors import HttpFaultError
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.holder import KeyHolder
from spark_gateway.keys.refusals import (
    IN_ADDRESS,
    NOT_KNOWN_YET,
    NOTHING_SHOWN,
    OPEN_READS,
    Rejection,
    checked,
    valid,
)
from spark_gateway.keys.sessions import COOKIE, Sessions
from spark_gateway.keys.shown import in_query, key_in

SESSION_PATH: Final = "/api/session"
"""Where a session begins and ends: open, since whoever comes has none yet."""
STATUS_PATH: Final = "/status"
"""The page to read: it says what ``/api`` says."""
SIGN_IN: Final = "static/sign-in.html#status"
"""Where somebody who came for that page is sent first; relative, for proxies with a prefix."""
REPORT_PATH: Final = "/api/health-event"
"""Where apps tell how a service served them: with the key they have for it."""
_HOLDER: Final = "spark.key_holder"
_MOST_WORDS: Final = 8


class ControlDoor:
    """Lets in who shows a key or has a session; cuts off who loses it meanwhile."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Callable[[], KeySettings],
        book: KeyBook,
        sessions: Sessions,
    ) -> None:
        self._app = app
        self._settings = settings
        self._book = book
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection. Raises HttpFaultError for who stays outside."""
        settings = self._settings()
        if scope["type"] != "http" or not settings.api_keys:
            await self._app(scope, receive, send)
            return
        if in_query(b"?" + scope["query_string"]):
            raise fault(IN_ADDRESS)
        path = scope["path"]
        holder: KeyHolder | None = None
        if is_v1(path):
            holder = self._at_models(scope, settings)
        elif path in ("/api", STATUS_PATH) or path.startswith("/api/"):
            try:
                holder = self._at_control(scope, settings)
            except HttpFaultError as refusal:
                if path != STATUS_PATH or refusal.fault.status != 401 or not _reads_pages(scope):
                    raise
                await RedirectResponse(SIGN_IN, 303)(scope, receive, send)
                return
        if holder is None:
            await self._app(scope, receive, send)
        else:
            self._book.note_use(holder)
            scope[_HOLDER] = holder
            await self._app(scope, receive, _Cuttable(send, self._shut(scope, holder)).send)

    def _shut(self, scope: Scope, holder: KeyHolder) -> Callable[[], bool]:
        """Return what says whether somebody who was let in would not be any more."""
        if key_in(scope["headers"]) is not None:
            return lambda: holder.closed_because() is not None
        words = session_words(Headers(scope=scope))
        return lambda: (
            holder.closed_because() is not None or self._sessions.holder(words) is not holder
        )

    def _at_models(self, scope: Scope, settings: KeySettings) -> KeyHolder | None:
        if scope["method"] == "OPTIONS" or scope["path"] in OPEN_READS:
            return None
        reads = scope["method"] in ("GET", "HEAD")
        if settings.api_keys_models_open and reads and scope["path"].startswith("/v1/models"):
            return None
        return _or_fault(checked(self._book, key_in(scope["headers"]), "infer"))

    def _at_control(self, scope: Scope, settings: KeySettings) -> KeyHolder | None:
        if settings.api_keys_control_open or scope["path"] == SESSION_PATH:
            return None
        if self._book.version is None:
            raise fault(NOT_KNOWN_YET)
        if not self._book.has_admin:
            return None
        shown = key_in(scope["headers"])
        if shown is not None:
            found = checked(self._book, shown, "admin")
            if isinstance(found, Rejection) and scope["path"] == REPORT_PATH:
                found = checked(self._book, shown, "infer")
            return _or_fault(found)
        holder = self._sessions.holder(session_words(Headers(scope=scope)))
        if holder is None:
            raise fault(NOTHING_SHOWN)
        return _or_fault(valid(holder, "admin"))


class _Cuttable:
    """The way out to somebody who was let in: it ends with the key or the session."""

    def __init__(self, send: Send, shut: Callable[[], bool]) -> None:
        self._send = send
        self._shut = shut
        self._begun = False
        self._over = False

    async def send(self, message: Message) -> None:
        """Pass on, or end the answer here."""
        if self._over:
            return
        if self._begun and self._shut():
            self._over = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        # An answer in one piece is passed on whole: it was written while the door was open.
        self._begun = message["type"] == "http.response.body"
        await self._send(message)


def _reads_pages(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def holder_in(scope: Scope) -> KeyHolder | None:
    """Return the key by which somebody was let in; None where none was asked for."""
    holder = scope.get(_HOLDER)
    return holder if isinstance(holder, KeyHolder) else None


def asker(scope: Scope) -> str | None:
    """Return the name of the key by which somebody was let in; None while keys are off."""
    holder = holder_in(scope)
    return holder.label if holder is not None else None


def session_words(headers: Headers) -> list[str]:
    """Return what stands in every cookie of the session's name, a few at the most."""
    parts = ";".join(headers.getlist("cookie")).split(";")
    pairs = (part.strip().partition("=") for part in parts)
    return [value for name, equals, value in pairs if equals and name == COOKIE][:_MOST_WORDS]


def fault(rejection: Rejection) -> HttpFaultError:
    """Return a rejection as the application's routes raise it."""
    return HttpFaultError(
        rejection.status, rejection.code, rejection.message, dict(rejection.headers)
    )


def _or_fault(found: KeyHolder | Rejection) -> KeyHolder:
    if isinstance(found, Rejection):
        raise fault(found)
    return found
