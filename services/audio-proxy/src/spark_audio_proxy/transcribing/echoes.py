"""Who takes the loudspeaker out of the microphone's sound."""

from pathlib import Path
from typing import Protocol

from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.decoding.sound import Cleared, Sound


class ClearsEchoes(Protocol):
    """Never fails: a recording that cannot be cleared stays as it is."""

    async def cleared(self, local: Sound, remote: Sound) -> Cleared:
        """Return the microphone's recording without what the remote side says."""
        ...


class EchoesInProcesses:
    """Has it done where recordings are decoded; what comes of it lies beside the recording."""

    def __init__(self, pool: DecoderPool) -> None:
        self._pool = pool

    async def cleared(self, local: Sound, remote: Sound) -> Cleared:
        """Return the microphone's recording without what the remote side says."""
        if local.is_silent or remote.is_silent:
            return Cleared(local)
        stem = local.pcm.with_suffix("")
        return await self._pool.cleared(local, remote, Path(f"{stem}.cleared"))
