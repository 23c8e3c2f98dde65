"""What the container is started with, checked at once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(Exception):
    """A variable that makes no sense; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Read from variables of the same names in capitals."""

    gliner_model: str = "nvidia/gliner-PII"
    """A repository of the hub, a folder, or ``tiny``: capital letters, to try the server."""
    gliner_port: int = 1235
    gliner_threshold: float = 0.3
    """Least score of what is answered, where a request names none."""
    gliner_window_words: int = 250
    """Words of a window, which the model reads at once; what is longer than its limit is lost."""
    gliner_overlap_words: int = 40
    """Words that two windows share, so that no name is cut."""
    gliner_batch_windows: int = 8
    """Windows in one run of the model: what bounds its memory."""
    gliner_waiting: int = 32
    """Requests that are read or wait; more is answered with 503."""
    gliner_max_labels: int = 64
    gliner_max_body_kb: int = 512
    gliner_memory_gb: float = 4.0
    """What this process may take of the GPU's memory, which on a Spark is everybody's."""


_KINDS: Mapping[str, type[str] | type[int] | type[float]] = {
    str(kind): kind for kind in (str, int, float)
}


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Return the settings. Raises SettingsError."""
    given: dict[str, str | int | float] = {}
    for field in fields(Settings):
        name = field.name.upper()
        raw = variables.get(name, "").strip()
        if not raw:
            continue
        kind = _KINDS[str(field.type)]
        try:
            value = kind(raw)
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {raw!r}") from None
        if isinstance(value, int | float) and not value > 0:
            raise SettingsError(f"{name} must be more than 0")
        given[field.name] = value
    settings = Settings(**given)  # type: ignore[arg-type]
    if settings.gliner_threshold >= 1:
        raise SettingsError("GLINER_THRESHOLD must be less than 1")
    if settings.gliner_overlap_words >= settings.gliner_window_words:
        raise SettingsError("GLINER_OVERLAP_WORDS must be less than GLINER_WINDOW_WORDS")
    return settings
