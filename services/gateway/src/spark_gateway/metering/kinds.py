"""Which of the known routes of ``/v1`` a path is: the words that stand in numbers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

OTHER: Final = "other"
"""What is not known by name: labels have to stay few, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request."""

    route: str
    """The label."""
    token_mark: bytes = b"\ndata:"
    """Stands once in each event of a stream that carries a token or so."""
    first_events: int = 0
    """Of these events, those before the first token that carry none."""
    last_events: int = 0
    """Of these events, those after the last token of a whole answer that carry none."""

    logged: bool = True
    """Whether it is of interest who asked. Pages look at a status every few seconds."""

    def tokens(self, events: int, *, complete: bool) -> int:
        """Return about how many tokens these events carried; a server may put several in one."""
        spare = self.first_events + (self.last_events if complete else 0)
        return max(0, events - spare)


_OTHER_KIND: Final = Kind(OTHER)
_EXACT: Final[Mapping[bytes, Kind]] = {
    kind.route.encode("ascii"): kind
    for kind in (
        # A role comes first; a finish reason and [DONE] come last.
        Kind("/v1/chat/completions", first_events=1, last_events=2),
        Kind("/v1/completions", last_events=1),
        Kind("/v1/responses", b".delta\n"),
        Kind("/v1/messages", b"\nevent: content_block_delta"),
        Kind("/v1/messages/count_tokens"),
        Kind("/v1/embeddings"),
        Kind("/v1/rerank"),
        Kind("/v2/rerank"),
        Kind("/rerank"),
        Kind("/v1/score"),
        Kind("/v1/tokenize"),
        Kind("/v1/detokenize"),
        Kind("/tokenize"),
        Kind("/detokenize"),
        Kind("/v1/audio/transcriptions", last_events=2),
        Kind("/v1/audio/translations", last_events=2),
        Kind("/v1/audio/speech"),
        Kind("/api/audio/transcribe-with-speakers"),
        Kind("/api/audio/status", logged=False),
    )
}
_BELOW: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"/v1/responses/", Kind("/v1/responses/{id}")),
    (b"/v1/audio/", Kind("/v1/audio")),
    (b"/api/audio/", Kind("/api/audio")),
)


@lru_cache(256)
def kind_of(path: bytes) -> Kind:
    """Return the kind of request that goes to a path, without its query."""
    kind = _EXACT.get(path)
    if kind is not None:
        return kind
    return next((below for start, below in _BELOW if path.startswith(start)), _OTHER_KIND)
