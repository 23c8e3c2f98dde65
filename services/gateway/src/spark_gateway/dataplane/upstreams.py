"""The servers behind the gateway, where each is just now, and which paths are whose."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from spark_gateway.dataplane.ports import EMBEDDER, REDACTION, SPEECH, Upstream, UpstreamNow
from spark_gateway.dialect import RANK_PATHS, is_redaction

Place = Literal["llm", "embed", "audio", "redaction"]

_EMBED_PATHS: Final = frozenset(
    (
        b"/v1/embeddings",
        b"/v1/rerank",
        b"/v1/score",
        *(path.encode("ascii") for path in RANK_PATHS),
    )
)
RANKS: Final = _EMBED_PATHS - {b"/v1/embeddings"}
"""Paths for models that rank, not for those that embed."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Where each server is; asked for every request, since the owner may move some of them."""

    llm: UpstreamNow
    embed: UpstreamNow
    audio: UpstreamNow
    redaction: UpstreamNow

    def at(self, place: Place) -> Upstream:
        """Return the server of a place."""
        now: UpstreamNow = getattr(self, place)
        return now()


@lru_cache(256)
def place_of(path: bytes) -> Place:
    """Return whose a path is, as long as no model says otherwise."""
    if path.startswith((b"/v1/audio/", b"/api/audio/")) or path == b"/api/audio":
        return "audio"
    if path in _EMBED_PATHS:
        return "embed"
    if path.startswith((b"/scrub", b"/rehydrate")) and is_redaction(path.decode("latin-1")):
        return "redaction"
    return "llm"


def embedder(address: Callable[[], tuple[str, int]]) -> UpstreamNow:
    """The embedding server; ``address``: where it is now."""
    return _moving(address, EMBEDDER, "the embedding server")


def speech(host: str, port: int) -> UpstreamNow:
    """The audio proxy."""
    return _moving(lambda: (host, port), SPEECH, "the speech service")


def redaction(host: str, port: int) -> UpstreamNow:
    """The redaction service."""
    return _moving(lambda: (host, port), REDACTION, "the redaction service")


def _moving(address: Callable[[], tuple[str, int]], name: str, title: str) -> UpstreamNow:
    known: dict[tuple[str, int], Upstream] = {}

    def now() -> Upstream:
        where = address()
        upstream = known.get(where)
        if upstream is None:
            upstream = known[where] = Upstream(*where, name, title)
        return upstream

    return now
