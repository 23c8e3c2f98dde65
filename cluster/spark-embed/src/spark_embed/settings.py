"""What the container is started with, checked at once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(Exception):
    """A variable that makes no sense; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Read from variables of the same names in capitals. Sizes in tokens unless named."""

    embed_model: str = "BAAI/bge-m3"
    """A repository of the hub, a folder, or ``tiny``: random and small, to try the server."""
    rerank_model: str = "BAAI/bge-reranker-v2-m3"
    """Empty: no reranker."""
    embed_port: int = 8081
    embed_max_tokens: int = 8192
    """Of one text; the model's own limit holds too."""
    rerank_max_tokens: int = 1024
    """Of a query with one document; longer documents are cut."""
    embed_batch_tokens: int = 32_768
    """Of one run of the model, padding included: what bounds its memory."""
    embed_batch_items: int = 64
    embed_queue_tokens: int = 1_000_000
    """That may wait; more is answered with 503."""
    embed_max_inputs: int = 2048
    """Of one request."""
    embed_max_body_mb: int = 16
    embed_memory_gb: float = 8.0
    """What this process may take of the GPU's memory, which on a Spark is everybody's."""


_KINDS: Mapping[str, type[str] | type[int] | type[float]] = {
    str(kind): kind for kind in (str, int, float)
}


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Return the settings. Raises SettingsError."""
    given: dict[str, str | int | float] = {}
    for field in fields(Settings):
        name = field.name.upper()
        raw = variables.get(name)
        if raw is None or (not raw.strip() and field.name != "rerank_model"):
            continue
        kind = _KINDS[str(field.type)]
        try:
            value = kind(raw.strip())
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {raw!r}") from None
        if isinstance(value, int | float) and not value > 0:
            raise SettingsError(f"{name} must be more than 0")
        given[field.name] = value
    settings = Settings(**given)  # type: ignore[arg-type]
    if settings.embed_max_tokens > settings.embed_batch_tokens:
        raise SettingsError("EMBED_BATCH_TOKENS must hold one text of EMBED_MAX_TOKENS")
    return settings
