"""Which API an address belongs to: it decides how errors read and who may ask."""

from typing import Final

MODEL_PATHS: Final = frozenset(
    (
        "/tokenize",
        "/detokenize",
        "/pooling",
        "/classify",
        "/v2/embed",
        "/inference/v1/generate",
        "/ping",
        "/version",
        "/load",
    )
)
"""What model servers have beside ``/v1``; clients tell by some of it what they speak to."""
RANK_PATHS: Final = frozenset(("/rerank", "/v2/rerank", "/score"))
"""What servers that rank have beside ``/v1``."""
VERSIONLESS: Final = frozenset(
    (
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/messages",
        "/messages/count_tokens",
        "/models",
        "/responses",
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
        "/audio/voices",
        "/audio/models",
    )
)
"""What clients ask for whose base URL lacks ``/v1``; it is meant."""
ANTHROPIC_VERSION: Final = "anthropic-version"
"""The header that every client of Anthropic's sends."""
EXPOSED: Final = "x-request-id, request-id, retry-after, x-should-retry, x-spark-overhead-ms"
"""Fields of an answer that apps in a browser may read: clients decide by them whether to retry."""
_REDACTION: Final = ("/scrub", "/rehydrate")
_SPEECH: Final = "/api/audio"


def is_v1(path: str) -> bool:
    """Whether this address is for clients of models, not for the control plane."""
    return path == "/v1" or path.startswith("/v1/")


def is_redaction(path: str) -> bool:
    """Whether this address is for clients of the redaction service."""
    return path in _REDACTION or path.startswith(("/scrub/", "/rehydrate/"))


def is_speech(path: str) -> bool:
    """Whether this address is for what the speech service has beside ``/v1/audio``."""
    return path == _SPEECH or path.startswith(f"{_SPEECH}/")


def is_passed_on(path: str) -> bool:
    """Whether another server answers at this address outside ``/v1``."""
    return path in MODEL_PATHS or path in RANK_PATHS or is_redaction(path) or is_speech(path)


def speaks_anthropic(path: str) -> bool:
    """Whether callers of this address expect errors in the form of the Messages API."""
    return path == "/v1/messages" or path.startswith("/v1/messages/")


def asks_as_anthropic(path: str, version: str | None) -> bool:
    """Whether a caller is a client of Anthropic's, also at an address that both APIs have.

    ``version`` is the value of ``ANTHROPIC_VERSION``.
    """
    return speaks_anthropic(path) or (version is not None and is_v1(path))
