"""Notes about models in memory."""

from collections.abc import Mapping, Sequence

from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import Quarantine
from spark_common.errors import UnavailableError
from spark_swapper.guarding.records import ModelNote


class MemoryRecords:
    """Behaves like the ones in Redis; ``away`` makes every call fail."""

    def __init__(self) -> None:
        self.away = False
        self._tests: dict[str, LastTest] = {}
        self._quarantines: dict[str, Quarantine] = {}

    async def notes(self, keys: Sequence[str]) -> Mapping[str, ModelNote]:
        """Return what is known."""
        self._require()
        return {key: ModelNote(self._tests.get(key), self._quarantines.get(key)) for key in keys}

    async def keep_test(self, key: str, test: LastTest) -> None:
        """Remember the latest."""
        self._require()
        self._tests[key] = test

    async def quarantine(self, key: str, quarantine: Quarantine) -> None:
        """Remember the first reason."""
        self._require()
        self._quarantines.setdefault(key, quarantine)

    async def release(self, key: str) -> Quarantine | None:
        """Forget it."""
        self._require()
        return self._quarantines.pop(key, None)

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the notes about models cannot be read: Redis is away")
