"""Sessions of the dashboard: a signed word that stands for an administrator's key.

Nothing is kept about one. Every gateway can read it, and it ends with its key.
"""

import hashlib
import hmac
from typing import Final

from spark_common.clock import Clock
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.holder import KeyHolder

COOKIE: Final = "spark_session"
SECONDS: Final = 7 * 24 * 3600
_LONGEST: Final = 256


class Sessions:
    """Makes and reads the words. They hold no key and no hash of one."""

    def __init__(self, book: KeyBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def begin(self, holder: KeyHolder) -> str:
        """Return the word of a new session."""
        end = int(self._clock.now().timestamp()) + SECONDS
        return f"{holder.key.id}.{end}.{self._signature(holder, end)}"

    def holder(self, word: str) -> KeyHolder | None:
        """Return whose session this is; None when it is none of ours, or over."""
        key_id, _, rest = word[:_LONGEST].partition(".")
        end, _, signature = rest.partition(".")
        holder = self._book.by_id(key_id)
        if holder is None or not (end.isascii() and end.isdigit() and len(end) <= 12):
            return None
        ours = hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._signature(holder, int(end)).encode("ascii")
        )
        over = int(end) <= self._clock.now().timestamp()
        return holder if ours and not over and self._book.session_secret else None

    def _signature(self, holder: KeyHolder, end: int) -> str:
        words = f"session/{holder.key.id}/{end}/{holder.key.digest}"
        return hmac.new(
            self._book.session_secret.encode(), words.encode(), hashlib.sha256
        ).hexdigest()
