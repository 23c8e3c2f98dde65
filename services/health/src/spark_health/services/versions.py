"""Which version a service is: asked of itself now and then, else read from its image."""

import json
import re
from dataclasses import dataclass, field
from typing import Final

from spark_common.clock import Clock
from spark_health.services.boxes import Box
from spark_health.services.clients import Clients
from spark_health.services.service import Service
from spark_health.watching.first.http_look import look

_PATHS: Final = {"vllm": "/version", "vectors": "/"}
"""Where a kind says it, as ``version`` of an object."""
_EVERY_SECONDS: Final = 600.0
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,59}\Z")


@dataclass
class Versions:
    """What services said; asked again when their container is another run."""

    clients: Clients
    clock: Clock
    _said: dict[str, tuple[str, float, str | None]] = field(default_factory=dict)

    async def refresh(self, service: Service, run: str) -> None:
        """Ask once more where it is time; ``run`` names the run of its container."""
        path, url = _PATHS.get(service.kind), service.url
        if path is None or url is None:
            return
        key, now = f"{url} {run}", self.clock.monotonic()
        known = self._said.get(service.name)
        if known is not None and known[0] == key and now - known[1] < _EVERY_SECONDS:
            return
        answer = await look(self.clients.of(service), url + path)
        said = version_in(answer.body) if answer.ok else None
        self._said[service.name] = (key, now, said)

    def of(self, service: Service, box: Box | None) -> str | None:
        """Return what it said itself, else what its image says."""
        known = self._said.get(service.name)
        if known is not None and known[2] is not None:
            return known[2]
        if box is None:
            return None
        return box.version or _tag(box.image)


def version_in(body: bytes) -> str | None:
    """Read the answer of a service about itself."""
    try:
        said = json.loads(body[:65_536])
        version = said["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) and _PLAIN.match(version) else None


def _tag(image: str | None) -> str | None:
    """Return the tag of an image, where it says something."""
    if image is None or "@" in image:
        return None
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag if tag and tag != "latest" and _PLAIN.match(tag) else None
