"""Every service there is now: of the settings, installed NIMs, the owner's own, the bridge."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from spark_common.contracts.nim import NimService
from spark_common.contracts.services import CustomService, ServiceKind
from spark_common.errors import UnavailableError
from spark_common.settings import ClusterSettings, RuntimeSettings
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    MatrixBridgeSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_health.services.book import YamlServices
from spark_health.services.logins import Logins
from spark_health.services.service import Service
from spark_health.watching.first.places import Places

BRIDGE: Final = "matrix-bridge"
_KINDS: Final[dict[str, ServiceKind]] = {
    "vllm": "vllm",
    "parakeet": "speech_to_text",
    "kokoro": "text_to_speech",
    "magpie": "text_to_speech",
    "embeddings": "embeddings",
    "qdrant": "vectors",
}
_ON_GPU: Final = frozenset({"parakeet", "magpie"})
"""Keep a model on the GPU; voice, embeddings and Qdrant take little of it, or nothing."""
RESERVED: Final = frozenset({*_KINDS, BRIDGE, "all", "embed", "stt", "tts"})
"""Names that are none of a service of one's own."""


@dataclass(frozen=True)
class Owned:
    """The owner's settings, as they are now."""

    runtime: Callable[[], RuntimeSettings]
    parakeet: Callable[[], ParakeetSettings]
    kokoro: Callable[[], KokoroSettings]
    magpie: Callable[[], MagpieSettings]
    embed: Callable[[], EmbedSettings]
    qdrant: Callable[[], QdrantSettings]
    bridge: Callable[[], MatrixBridgeSettings]


class Registry:
    """Asked anew each time: the owner may move, add and hide services."""

    def __init__(
        self,
        cluster: ClusterSettings,
        places: Places,
        owned: Owned,
        nims: Callable[[], Sequence[NimService]],
        book: YamlServices,
        logins: Logins,
    ) -> None:
        self._cluster = cluster
        self._places = places
        self._owned = owned
        self._nims = nims
        self._book = book
        self._logins = logins
        self._last_nims: Sequence[NimService] = ()
        book.refusal = self.refusal

    def services(self) -> dict[str, Service]:
        """Return every one that is not hidden, in the order of tiles."""
        hidden = self.hidden()
        found = [*self._built_in(), *self._of_nims(), *self._custom(), *self._of_bridge()]
        return {one.name: one for one in found if one.name not in hidden}

    def hidden(self) -> frozenset[str]:
        """Return the names without a tile and without a probe."""
        return self._places.disabled()

    def problems(self) -> list[str]:
        """Return what of the owner's own list cannot be used."""
        return list(self._book.read().problems)

    def refusal(self, entry: CustomService) -> str | None:
        """Say why an entry cannot be used beside what there is, if so."""
        if entry.name in RESERVED or entry.name in {host.name for host in self._cluster.hosts}:
            return "the name is taken by a built-in one"
        if entry.name in {nim.name for nim in self._nims_now()}:
            return "the name is that of an installed NIM"
        if entry.host is not None and self._address(entry.host) is None:
            known = ", ".join(host.name for host in self._cluster.hosts)
            return f"there is no {entry.host}; there are {known}"
        return None

    def _built_in(self) -> list[Service]:
        owned = self._owned
        parakeet, kokoro, magpie = owned.parakeet(), owned.kokoro(), owned.magpie()
        embed, qdrant = owned.embed(), owned.qdrant()
        boxes: dict[str, tuple[str, str | None]] = {
            "vllm": (owned.runtime().vllm_container, None),
            "parakeet": (parakeet.parakeet_container, parakeet.parakeet_user),
            "kokoro": (kokoro.kokoro_container, kokoro.kokoro_user),
            "magpie": (magpie.magpie_container, magpie.magpie_user),
            "embeddings": (embed.embed_container, embed.embed_user),
            "qdrant": (qdrant.qdrant_container, qdrant.qdrant_user),
        }
        return [
            Service(
                name=name,
                label=place.label,
                kind=_KINDS[name],
                origin="built_in",
                login=self._logins.of(place.address, boxes[name][1]),
                container=boxes[name][0],
                address=place.address,
                port=place.port,
                path=place.path,
                blocks=place.may_be_silent,
                on_gpu=name in _ON_GPU,
                # The container of the model is the swapper's, whatever else is said to be in it.
                touchable=name != "vllm" and boxes[name][0] != owned.runtime().vllm_container,
            )
            for name, place in self._places.all().items()
            if name in boxes
        ]

    def _of_nims(self) -> list[Service]:
        found = []
        for nim in self._nims_now():
            address = self._address(nim.host)
            if address is not None:
                found.append(
                    Service(
                        name=nim.name,
                        label=nim.label,
                        kind="nim",
                        origin="nim",
                        login=self._logins.of(address, None),
                        container=nim.container,
                        address=address,
                        port=nim.port,
                        path=nim.health_path,
                        on_gpu=True,
                    )
                )
        return found

    def _custom(self) -> list[Service]:
        models = self._owned.runtime().vllm_container
        found = []
        for entry in self._book.read().services:
            address = self._address(entry.host or self._cluster.hosts[0].name)
            if address is None:
                continue
            found.append(
                Service(
                    name=entry.name,
                    label=entry.label or entry.name,
                    kind=entry.kind,
                    origin="custom",
                    login=self._logins.of(address, entry.user) if entry.container else None,
                    container=entry.container,
                    address=None if entry.kind == "bot" else address,
                    port=entry.port,
                    path=entry.path,
                    touchable=entry.kind != "vllm" and entry.container != models,
                )
            )
        return found

    def _of_bridge(self) -> list[Service]:
        bridge = self._owned.bridge()
        if bridge.matrix_bridge_user is None:
            return []
        address = bridge.matrix_bridge_host or self._cluster.hosts[0].address
        container = bridge.matrix_bridge_container
        return [
            Service(
                name=BRIDGE,
                label="Matrix bridge",
                kind="bot",
                origin="bridge",
                login=self._logins.of(address, bridge.matrix_bridge_user),
                container=container,
                touchable=container != self._owned.runtime().vllm_container,
            )
        ]

    def _nims_now(self) -> Sequence[NimService]:
        # While the list cannot be read, what was known goes on being watched.
        with suppress(UnavailableError):
            self._last_nims = tuple(self._nims())
        return self._last_nims

    def _address(self, host: str) -> str | None:
        """Return the address of a Spark by its name; any other word is one itself."""
        for one in self._cluster.hosts:
            if host in (one.name, one.address):
                return one.address
        looks_like_one = host.startswith("spark") and host.removeprefix("spark").isdigit()
        return None if looks_like_one else host
