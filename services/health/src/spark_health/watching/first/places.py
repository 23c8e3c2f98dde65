"""Where every service is that the settings name, and which of them the owner hid."""

from collections.abc import Callable
from typing import Final, Literal

from spark_common.contracts.health import Endpoint
from spark_common.settings import ClusterSettings, RuntimeSettings
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    PageSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_health.watching.first.service_probe import Place

EndpointKind = Literal["vllm", "speech_to_text", "text_to_speech", "embeddings", "vectors", "other"]
KINDS: Final[dict[str, EndpointKind]] = {
    "vllm": "vllm",
    "parakeet": "speech_to_text",
    "kokoro": "text_to_speech",
    "magpie": "text_to_speech",
    "embeddings": "embeddings",
    "qdrant": "vectors",
}
_OPENAI: Final = frozenset({"vllm", "parakeet", "kokoro", "embeddings"})
_ALSO: Final = {"embeddings": ("embed",), "parakeet": ("stt",), "kokoro": ("tts",)}
"""Other words that owners use for them in DISABLED_SERVICES."""


class Places:
    """Asked anew for every look: the owner may move what runs beside the model."""

    def __init__(
        self,
        cluster: ClusterSettings,
        *,
        runtime: Callable[[], RuntimeSettings],
        page: Callable[[], PageSettings],
        parakeet: Callable[[], ParakeetSettings],
        kokoro: Callable[[], KokoroSettings],
        magpie: Callable[[], MagpieSettings],
        embed: Callable[[], EmbedSettings],
        qdrant: Callable[[], QdrantSettings],
    ) -> None:
        self._cluster = cluster
        self._runtime = runtime
        self._page = page
        self._parakeet = parakeet
        self._kokoro = kokoro
        self._magpie = magpie
        self._embed = embed
        self._qdrant = qdrant

    def all(self) -> dict[str, Place]:
        """Return every service that the settings name, what is hidden included."""
        first, beside = self._cluster.hosts[0], self._cluster.beside
        parakeet, kokoro, magpie = self._parakeet(), self._kokoro(), self._magpie()
        embed, qdrant = self._embed(), self._qdrant()
        found = [
            self._place("vllm", "vLLM", first.address, self._runtime().vllm_port, "/health"),
            self._place(
                "parakeet",
                "Speech to text",
                parakeet.parakeet_host or first.address,
                parakeet.parakeet_port,
                "/health",
                may_be_silent=True,
            ),
            self._place(
                "kokoro",
                "Text to speech",
                kokoro.kokoro_host or first.address,
                kokoro.kokoro_port,
                "/health",
            ),
            self._place(
                "embeddings",
                "Embeddings",
                embed.embed_host or beside.address,
                embed.embed_port,
                "/health",
            ),
            self._place(
                "qdrant",
                "Qdrant",
                qdrant.qdrant_host or beside.address,
                qdrant.qdrant_port,
                "/healthz",
            ),
        ]
        if magpie.magpie_host is not None:
            # The older one: watched only by those who say where it is.
            found.append(
                self._place(
                    "magpie",
                    "Text to speech (Magpie)",
                    magpie.magpie_host,
                    magpie.magpie_port,
                    "/v1/health/ready",
                )
            )
        return {place.name: place for place in found}

    def disabled(self) -> frozenset[str]:
        """Return the names of services without a tile and without a probe."""
        words = {word.lower() for word in self._page().disabled_services}
        also = {name for name, others in _ALSO.items() if words & set(others)}
        return frozenset(words | also)

    def endpoints(self) -> list[Endpoint]:
        """Return the direct address of every service."""
        hidden = self.disabled()
        return [
            Endpoint(
                name=place.name,
                label=place.label,
                kind=KINDS.get(place.name, "other"),
                host=place.address,
                port=place.port,
                url=place.url,
                openai_base_url=f"{place.url}/v1" if place.name in _OPENAI else None,
                disabled=place.name in hidden,
            )
            for place in self.all().values()
        ]

    def _place(
        self, name: str, label: str, address: str, port: int, path: str, may_be_silent: bool = False
    ) -> Place:
        host = next((one.name for one in self._cluster.hosts if one.address == address), None)
        return Place(name, label, address, port, path, host, may_be_silent)
