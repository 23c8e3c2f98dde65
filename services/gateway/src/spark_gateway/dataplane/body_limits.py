"""How large a request may be, by where it goes: known at its head, before a byte of it is kept."""

from collections.abc import Callable
from typing import Final

from spark_common.settings.policies import QueueSettings

_UPLOADS: Final = (b"/v1/audio/", b"/api/audio/", b"/v1/files", b"/v1/images/", b"/v1/uploads")
_MEGABYTE: Final = 1024 * 1024


def by_route(settings: Callable[[], QueueSettings]) -> Callable[[bytes], int]:
    """Return what gives the most bytes of a body to a path, as the owner set it."""

    def limit(path: bytes) -> int:
        now = settings()
        megabytes = now.upload_limit_mb if path.startswith(_UPLOADS) else now.request_limit_mb
        return int(megabytes * _MEGABYTE)

    return limit
