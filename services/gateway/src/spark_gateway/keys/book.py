"""All keys, in memory, as last learned: the gateway asks nobody while it serves."""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime

from spark_common.clock import Clock
from spark_common.contracts.api_keys import Ring
from spark_common.key_text import digest_of
from spark_gateway.keys.holder import KeyHolder


class KeyBook:
    """Gives the holder of a key by its text. Unknown until ``learn`` was called once."""

    def __init__(self, clock: Clock, loaded: Callable[[], Set[str]]) -> None:
        self.version: int | None = None
        """Of the keys that are known; None while none were learned."""
        self.session_secret = ""
        self.limits_concurrency = False
        """Whether any key may have only so many requests at once."""
        self._clock = clock
        self._loaded = loaded
        self._by_id: dict[str, KeyHolder] = {}
        self._by_digest: dict[str | None, KeyHolder] = {}
        self._used: set[str] = set()
        self._closed: set[str] = set()
        self._ended: set[str] = set()
        self._signed_out: dict[str, datetime] = {}
        """Sessions that ended at this gateway; told of or not, they stay here until their time."""
        self._untold: set[str] = set()
        self._told: list[Callable[[KeyHolder], None]] = []

    def on_closed(self, told: Callable[[KeyHolder], None]) -> None:
        """Be told of each key that opens nothing any more."""
        self._told.append(told)

    def learn(self, ring: Ring) -> None:
        """Take in another version; who lost a key or a scope is told of at once."""
        if ring.keys is None:
            return
        before, after = self._by_id, dict[str, KeyHolder]()
        for key in ring.keys:
            holder = before.get(key.id)
            if holder is None or holder.key.digest != key.digest:
                holder = KeyHolder(key, self._clock, self._loaded)
            after[key.id] = holder
        lost = [holder for name, holder in before.items() if after.get(name) is not holder]
        for holder in lost:
            holder.revoke()
        for key in ring.keys:
            holder = after[key.id]
            narrowed = set(holder.key.scopes) - set(key.scopes)
            holder.renew(key)
            if narrowed:
                lost.append(holder)
        self._by_id = after
        self._by_digest = {holder.key.digest: holder for holder in after.values()}
        self._closed &= after.keys()
        self.limits_concurrency = any(holder.concurrency for holder in after.values())
        self.session_secret = ring.session_secret or ""
        self._ended = set(ring.ended)
        self.version = ring.version
        self._tell(lost)
        self.look()

    def look(self) -> None:
        """Find keys that were switched off or ran out since."""
        shut = {name for name, one in self._by_id.items() if one.closed_because() is not None}
        fresh, self._closed = shut - self._closed, shut
        now = self._clock.now()
        self._signed_out = {one: end for one, end in self._signed_out.items() if end > now}
        self._tell(self._by_id[name] for name in fresh)

    def find(self, text: str) -> KeyHolder | None:
        """Return whose key this is. By its hash, so that the time it takes tells nothing of it."""
        return self.find_digest(digest_of(text))

    def find_digest(self, digest: str | None) -> KeyHolder | None:
        """Return whose key has this hash; nobody's is None."""
        return self._by_digest.get(digest)

    def by_id(self, key_id: str) -> KeyHolder | None:
        """Return the holder of a key that was shown before."""
        return self._by_id.get(key_id)

    def end_session(self, session: str, until: datetime) -> None:
        """Somebody signed out here: from now on it opens nothing, whoever knows it."""
        self._signed_out[session] = until
        self._untold.add(session)

    def is_ended(self, session: str) -> bool:
        """Say whether somebody signed out of a session, here or elsewhere."""
        return session in self._signed_out or session in self._ended

    @property
    def ends_to_tell(self) -> Mapping[str, datetime]:
        """Sessions that ended here and that the other gateways have not been told of."""
        return {one: end for one, end in self._signed_out.items() if one in self._untold}

    def told_end(self, session: str) -> None:
        """The others will know."""
        self._untold.discard(session)

    @property
    def has_admin(self) -> bool:
        """Whether any key was made for administrators, also one that is over."""
        return any(holder.opens("admin") for holder in self._by_id.values())

    def note_use(self, holder: KeyHolder) -> None:
        """A key was used."""
        self._used.add(holder.id)

    def take_used(self) -> set[str]:
        """Return what was used since the last call."""
        used, self._used = self._used, set()
        return used

    def owe_use(self, ids: Iterable[str]) -> None:
        """Nobody could be told of these."""
        self._used.update(ids)

    def _tell(self, closed: Iterable[KeyHolder]) -> None:
        for holder in closed:
            for told in self._told:
                told(holder)
