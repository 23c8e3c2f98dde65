"""The stores of voices in memory; ``away`` plays a Redis that does not answer."""

from collections.abc import Sequence

from spark_audio_proxy.speakers.matching import EnrolledVoice
from spark_audio_proxy.speakers.voice_store import MOST_ENROLLED, full_error
from spark_common.errors import UnavailableError


class _Reachable:
    def __init__(self) -> None:
        self.away = False

    def require(self) -> None:
        """Raise UnavailableError while away."""
        if self.away:
            raise UnavailableError("Redis does not answer")


class MemoryVoices(_Reachable):
    """Enrolled voices."""

    def __init__(self) -> None:
        super().__init__()
        self._voices: dict[str, dict[str, EnrolledVoice]] = {}

    async def put(self, tenant: str, voice: EnrolledVoice) -> None:
        """Keep a voice, in place of the one of the same name; ConflictError when full."""
        self.require()
        own = self._voices.setdefault(tenant, {})
        if len(own) >= MOST_ENROLLED and voice.name not in own:
            raise full_error()
        own[voice.name] = voice

    async def get(self, tenant: str, name: str) -> EnrolledVoice | None:
        """Return one voice."""
        self.require()
        return self._voices.get(tenant, {}).get(name)

    async def all(self, tenant: str) -> Sequence[EnrolledVoice]:
        """Return all voices of a tenant by name."""
        self.require()
        return [voice for _, voice in sorted(self._voices.get(tenant, {}).items())]

    async def delete(self, tenant: str, name: str) -> bool:
        """Forget a voice; say whether there was one."""
        self.require()
        return self._voices.get(tenant, {}).pop(name, None) is not None


class MemorySessions(_Reachable):
    """Sessions of speakers."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[tuple[str, str], list[str]] = {}

    async def create(self, tenant: str, session_id: str, head: str) -> None:
        """Begin a session with its first entry."""
        self.require()
        self._entries[tenant, session_id] = [head]

    async def append(self, tenant: str, session_id: str, entry: str) -> list[str]:
        """Add an entry and return all up to it; nothing without a session."""
        self.require()
        entries = self._entries.get((tenant, session_id))
        if entries is None:
            return []
        entries.append(entry)
        return list(entries)

    async def read(self, tenant: str, session_id: str) -> list[str]:
        """Return all entries; nothing without a session."""
        self.require()
        return list(self._entries.get((tenant, session_id), []))

    async def delete(self, tenant: str, session_id: str) -> bool:
        """Forget a session; say whether there was one."""
        self.require()
        return self._entries.pop((tenant, session_id), None) is not None
