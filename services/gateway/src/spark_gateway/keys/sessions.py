"""Sessions of the dashboard: a signed word that stands for an administrator's key.

Nothing is kept about one that lasts. Every gateway can read it, and it ends with its key, with its
time, or when somebody signs out of it.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from spark_common.clock import Clock
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.holder import KeyHolder

COOKIE: Final = "spark_session"
SECONDS: Final = 7 * 24 * 3600
_LONGEST: Final = 256


@dataclass(frozen=True, slots=True)
class _Session:
    """What a word of ours says, once its signature was checked."""

    id: str
    end: int
    holder: KeyHolder


class Sessions:
    """Makes and reads the words. They hold no key and no hash of one, and no two are alike."""

    def __init__(self, book: KeyBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def begin(self, holder: KeyHolder) -> str:
        """Return the word of a new session."""
        end = int(self._clock.now().timestamp()) + SECONDS
        session = secrets.token_urlsafe(16)
        return f"{holder.key.id}.{end}.{session}.{self._signature(holder, end, session)}"

    def holder(self, words: Iterable[str]) -> KeyHolder | None:
        """Return whose session this is; None when it is none of ours, or over.

        A browser sends several cookies of one name when somebody else planted one: what is not
        ours is passed over, and sessions of two keys are none.
        """
        found = {read.holder.key.id: read.holder for word in words if (read := self._read(word))}
        return next(iter(found.values())) if len(found) == 1 else None

    def end(self, words: Iterable[str]) -> None:
        """Let sessions be over; whoever kept a copy of a word has nothing."""
        for word in words:
            read = self._read(word)
            if read is not None:
                self._book.end_session(read.id, datetime.fromtimestamp(read.end, UTC))

    def _read(self, word: str) -> _Session | None:
        parts = word.split(".") if len(word) <= _LONGEST else []
        if len(parts) != 4 or not self._book.session_secret:
            return None
        key_id, end, session, signature = parts
        holder = self._book.by_id(key_id)
        if holder is None or not (end.isascii() and end.isdigit() and len(end) <= 12):
            return None
        ours = self._signature(holder, int(end), session).encode("ascii")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), ours):
            return None
        over = int(end) <= self._clock.now().timestamp() or self._book.is_ended(session)
        return None if over else _Session(session, int(end), holder)

    def _signature(self, holder: KeyHolder, end: int, session: str) -> str:
        words = f"session/{holder.key.id}/{end}/{session}/{holder.key.digest}"
        return hmac.new(
            self._book.session_secret.encode(), words.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()
