"""Which address may be asked: one of a Spark, whatever anybody set."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from spark_common.settings import RuntimeSettings
from spark_common.settings.redaction import UnknownNamesSettings


class AskedPlace:
    """Gives the base addresses of the servers that are asked, as the owner wants it just now."""

    def __init__(
        self,
        sparks: Sequence[str],
        unknown: Callable[[], UnknownNamesSettings],
        runtime: Callable[[], RuntimeSettings],
    ) -> None:
        """``sparks``: addresses of the Sparks, the one with the model server first."""
        self._sparks = tuple(sparks)
        self._unknown = unknown
        self._runtime = runtime

    def url(self) -> str | None:
        """Return ``http://<spark-1-ip>:8888``; None when nobody may be asked."""
        settings = self._unknown()
        if not settings.redaction_ner or not self._sparks:
            return None
        if settings.redaction_ner_url is not None:
            return own_server(settings.redaction_ner_url, self._sparks)
        host = self._sparks[0]
        named = f"[{host}]" if ":" in host else host
        return f"http://{named}:{self._runtime().vllm_port}"

    def gliner_url(self) -> str | None:
        """Return the base address of the GLiNER server; None when it is not to be asked."""
        settings = self._unknown()
        if not settings.redaction_ner or settings.redaction_gliner_url is None:
            return None
        return own_server(settings.redaction_gliner_url, self._sparks)

    def gliner_is_set(self) -> bool:
        """Whether the owner wants a GLiNER server asked, there or not."""
        settings = self._unknown()
        return settings.redaction_ner and settings.redaction_gliner_url is not None

    def warnings(self) -> tuple[str, ...]:
        """Say which address that is set is no Spark's."""
        settings = self._unknown()
        named = {
            "REDACTION_NER_URL": settings.redaction_ner_url,
            "REDACTION_GLINER_URL": settings.redaction_gliner_url,
        }
        return tuple(
            f"{name} is the address of no Spark; nobody is asked for unknown names there"
            for name, url in named.items()
            if url is not None and own_server(url, self._sparks) is None
        )


def own_server(url: str, sparks: Sequence[str]) -> str | None:
    """Return the address without what follows the port, when it is a Spark's and plain HTTP.

    Compared as written in the settings of the Sparks: no name is looked up, so none can change.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return None
    host = parts.hostname
    known = {spark.casefold() for spark in sparks}
    if parts.scheme != "http" or not host or host.casefold() not in known or "@" in parts.netloc:
        return None
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
