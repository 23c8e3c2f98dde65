"""The doorkeeper of ``/v1``: who asks, by the key that is shown, else by where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spark_common.key_text import digest_of
from spark_common.settings.policies import KeySettings
from spark_gateway.dataplane.free import ANYBODY
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Field, Identity, Refusal
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.refusals import IN_ADDRESS, OPEN_READS, Rejection, checked
from spark_gateway.keys.shown import in_query, key_in, without_keys

_USER: Final = b"x-openwebui-user-id"
_LONGEST_USER: Final = 128


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody without a key: known by what an app says of its user, else by an address."""

    share: str
    label: str = ""
    weight: int = 1
    concurrency: int = 0
    by_key: bool = False
    picky: bool = False

    def refuses(self, path: bytes, model: str | None) -> Refusal | None:
        """Every model is for everybody."""
        return None

    def spent(self, tokens: int) -> None:
        """Nobody counts."""


class KeyDoorkeeper:
    """A ``Doorkeeper``. Without keys and without caps it does nothing."""

    def __init__(
        self,
        settings: Callable[[], KeySettings],
        book: KeyBook,
        nobody_waits: Callable[[], bool],
    ) -> None:
        """``nobody_waits``: whether it does not matter who somebody without a key is."""
        self._settings = settings
        self._book = book
        self._nobody_waits = nobody_waits

    def admit(self, head: RequestHead, peer: str | None) -> Identity | Refusal:
        """Return who it is, or why nobody is let in."""
        if not self._settings().api_keys:
            return self._without_key(head, peer)
        if not head.key_sought:
            # Not one of which all that is known already: it depends on nothing but the head.
            if _is_open(head):
                return self._without_key(head, peer)
            if in_query(head.target):
                return refusal_of(head.path, IN_ADDRESS)
            shown = head.shown_key = key_in(head.fields)
            head.key_digest = None if shown is None else digest_of(shown)
            head.keyless = without_keys(head.fields)
            head.key_sought = True
        holder = self._book.find_digest(head.key_digest)
        if holder is None or not holder.unconditional:
            return self._judged(head)
        self._book.note_use(holder)
        return holder

    def _judged(self, head: RequestHead) -> Identity | Refusal:
        """Return who it is where that takes more than a look, or why nobody is let in."""
        found = checked(self._book, head.shown_key, "infer", head.key_digest)
        if isinstance(found, Rejection):
            return refusal_of(head.path, found)
        self._book.note_use(found)
        return found.ask(head.path) or found

    def _without_key(self, head: RequestHead, peer: str | None) -> Identity:
        return ANYBODY if self._nobody_waits() else visitor(head.fields, peer)


def visitor(fields: list[Field], peer: str | None) -> Visitor:
    """Return who somebody without a key is, for the fair queue alone."""
    for name, value in fields:
        if len(name) == len(_USER) and name.lower() == _USER and value.strip():
            return _sharing("user:" + value.strip()[:_LONGEST_USER].decode("latin-1"))
    return _sharing(f"address:{peer or ''}")


@lru_cache(1024)
def _sharing(share: str) -> Visitor:
    return Visitor(share)


def _is_open(head: RequestHead) -> bool:
    method = head.method
    return method == b"OPTIONS" or (
        method in (b"GET", b"HEAD") and head.path.decode("latin-1") in OPEN_READS
    )


def refusal_of(path: bytes, rejection: Rejection) -> Refusal:
    """Say it in the dialect of the path."""
    headers = tuple((name.encode(), value.encode()) for name, value in rejection.headers)
    return refuse(path, rejection.status, rejection.code, rejection.message, headers=headers)
