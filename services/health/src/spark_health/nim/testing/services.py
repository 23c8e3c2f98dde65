"""A list of installed NIMs in memory; ``away`` plays a disk that refuses."""

from spark_common.contracts.nim import NimService
from spark_common.errors import UnavailableError


class MemoryNims:
    """Keeps them until it is gone."""

    def __init__(self) -> None:
        self.away = False
        self._by_name: dict[str, NimService] = {}

    async def all(self) -> list[NimService]:
        """Return every one, by name."""
        self._require()
        return [self._by_name[name] for name in sorted(self._by_name)]

    async def put(self, service: NimService) -> None:
        """Write one down."""
        self._require()
        self._by_name[service.name] = service

    async def drop(self, name: str) -> None:
        """Strike one out."""
        self._require()
        self._by_name.pop(name, None)

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the list of services is away")
