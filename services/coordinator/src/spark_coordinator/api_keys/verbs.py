"""What is asked about API keys on the bus."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.api_keys import (
    CHANGE_KEY,
    CREATE_KEY,
    END_SESSION,
    LIST_KEYS,
    NOTE_USE,
    READ_RING,
    REMOVE_KEY,
    ChangeKey,
    CreateKey,
    EndSession,
    Keys,
    KeyView,
    ListKeys,
    NewKey,
    Noted,
    NoteUse,
    ReadRing,
    RemoveKey,
    Ring,
)
from spark_coordinator.api_keys.registry import KeyRegistry
from spark_coordinator.api_keys.store import KeyStore


class KeyVerbs:
    """Answers on every coordinator."""

    def __init__(self, store: KeyStore, registry: KeyRegistry) -> None:
        self._store = store
        self._registry = registry

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its handler."""
        return (
            Serving(CREATE_KEY, self.create),
            Serving(CHANGE_KEY, self.change),
            Serving(REMOVE_KEY, self.remove),
            Serving(LIST_KEYS, self.list),
            Serving(READ_RING, self.ring),
            Serving(NOTE_USE, self.note_use),
            Serving(END_SESSION, self.end_session),
        )

    async def create(self, request: CreateKey) -> NewKey:
        """Make a key; this answer is the only place where its text ever stands."""
        key, text = await self._registry.create(request)
        return NewKey(**key.view(None).model_dump(), key=text)

    async def change(self, request: ChangeKey) -> KeyView:
        """Change what a key may."""
        key = await self._registry.change(request)
        return key.view((await self._store.used()).get(key.id))

    async def remove(self, request: RemoveKey) -> Keys:
        """Revoke a key; the others are answered."""
        await self._registry.remove(request.id, request.requested_by)
        return await self.list(ListKeys())

    async def list(self, _: ListKeys) -> Keys:
        """Return all keys."""
        kept, used = await self._store.read(), await self._store.used()
        keys = [] if kept is None else [key.view(used.get(key.id)) for key in kept.keys.values()]
        return Keys(keys=keys)

    async def ring(self, request: ReadRing) -> Ring:
        """Return what gateways check callers by, or only that it is still the same."""
        kept = await self._store.read(request.known_version)
        if kept is None:
            return Ring(version=request.known_version or 0)
        keys = [key.for_ring() for key in kept.keys.values()]
        return Ring(
            version=kept.version,
            keys=keys,
            session_secret=kept.session_secret,
            ended=list(kept.ended),
        )

    async def note_use(self, request: NoteUse) -> Noted:
        """Note which keys were used on a day."""
        await self._store.note_use(request.ids, request.day)
        return Noted()

    async def end_session(self, request: EndSession) -> Noted:
        """Note that somebody signed out; every gateway finds it with its next look."""
        await self._registry.end_session(request.id, request.until)
        return Noted()
