"""``/api/session``: the dashboard's way in while API keys are asked for."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.keys.control_door import fault, session_words
from spark_gateway.keys.refusals import NOT_KNOWN_YET, Rejection, checked, too_many_guesses, valid
from spark_gateway.keys.sessions import COOKIE, SECONDS
from spark_gateway.parts import parts_of

router = APIRouter(prefix="/api/session", tags=["keys"], route_class=ControlRoute)


class SessionView(BaseModel):
    """Whether one has to sign in, and whether one has."""

    needed: bool
    signed_in: bool = False
    name: str | None = None
    """Of the key that was shown."""


class SignIn(BaseModel):
    """A key with the scope `admin`."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[SecretStr, Field(min_length=1, max_length=512)]


@router.get("", responses=problems(*READ))
async def get_session(request: Request) -> SessionView:
    """Whether this browser has to sign in. Open to everybody."""
    entrance = parts_of(request).entrance
    needed = entrance.needs_session
    holder = entrance.sessions.holder(session_words(request.headers)) if needed else None
    if holder is None or isinstance(valid(holder, "admin"), Rejection):
        return SessionView(needed=needed)
    return SessionView(needed=needed, signed_in=True, name=holder.label)


@router.post("", responses=problems(429, *CHANGE))
async def sign_in(
    request: Request, response: Response, form: Annotated[SignIn, Body()]
) -> SessionView:
    """Begin a session of seven days; the browser keeps it where no script can read it.

    A session that the browser had before is over. After ten wrong keys in a minute an address
    waits (429).
    """
    entrance = parts_of(request).entrance
    if not entrance.needs_session:
        return SessionView(needed=False)
    peer = request.client.host if request.client else None
    address = parts_of(request).origin_guard.caller(request.headers, peer)
    wait = entrance.guesses.wait(address)
    if wait:
        raise fault(too_many_guesses(wait))
    holder = checked(entrance.book, form.key.get_secret_value().strip(), "admin")
    if isinstance(holder, Rejection):
        if holder is not NOT_KNOWN_YET:
            entrance.guesses.wrong(address)
        raise fault(holder)
    entrance.book.note_use(holder)
    entrance.sessions.end(session_words(request.headers))
    _keep(request, response, entrance.sessions.begin(holder), SECONDS)
    return SessionView(needed=True, signed_in=True, name=holder.label)


@router.delete("", responses=problems(*REMOVE))
async def sign_out(request: Request, response: Response) -> SessionView:
    """End the session, also for copies of its cookie, and let the browser forget it."""
    parts_of(request).entrance.sessions.end(session_words(request.headers))
    _keep(request, response, "", 0)
    return SessionView(needed=parts_of(request).entrance.needs_session)


def _keep(request: Request, response: Response, word: str, seconds: int) -> None:
    peer = request.client.host if request.client else None
    secure = parts_of(request).origin_guard.is_https(request.headers, request.url.scheme, peer)
    # Without a path the browser takes that of this route, also behind a proxy that adds to it.
    response.set_cookie(
        COOKIE, word, seconds, path=None, secure=secure, httponly=True, samesite="strict"
    )
