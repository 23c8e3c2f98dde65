"""What the application needs to know about who may come in, as one object."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp

from spark_common.clock import Clock
from spark_common.settings.policies import KeySettings
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.control_door import ControlDoor
from spark_gateway.keys.guesses import Guesses
from spark_gateway.keys.sessions import Sessions


@dataclass(frozen=True)
class Entrance:
    """The settings of now, the keys, and the sessions that stand for them."""

    settings: Callable[[], KeySettings]
    book: KeyBook
    sessions: Sessions
    guesses: Guesses

    def door(self, app: ASGIApp) -> ASGIApp:
        """Put the door before an application."""
        return ControlDoor(app, self.settings, self.book, self.sessions)

    @property
    def needs_session(self) -> bool:
        """Whether the dashboard has to sign in before it may ask anything."""
        settings = self.settings()
        if not settings.api_keys or settings.api_keys_control_open:
            return False
        return self.book.version is None or self.book.has_admin


def open_entrance(clock: Clock) -> Entrance:
    """Return the entrance of a gateway that asks for no keys."""
    book = KeyBook(clock, frozenset)
    return Entrance(KeySettings, book, Sessions(book, clock), Guesses(clock))
