"""Models that took a Spark down: not loaded again until a person says so."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from spark_common.clock import Clock
from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import Quarantine
from spark_common.errors import QuarantinedError, SparkError, UnavailableError
from spark_swapper.guarding.records import ModelNote, ModelRecords
from spark_swapper.guarding.remembering import load_result
from spark_swapper.records.jobs import SwapJob

_log = structlog.get_logger()


class Quarantining:
    """The records of models, with what could not be written while Redis was away.

    A quarantine counts from the moment it is known, whether or not it is stored yet.
    """

    def __init__(
        self, records: ModelRecords, clock: Clock, on_change: Callable[[], Awaitable[None]]
    ) -> None:
        self._records = records
        self._clock = clock
        self._on_change = on_change
        self._unwritten: dict[str, Quarantine] = {}

    async def held(self, key: str) -> Quarantine | None:
        """Return why a model may not be loaded; raises UnavailableError when that is not known."""
        unwritten = self._unwritten.get(key)
        try:
            return (await self.notes([key]))[key].quarantine
        except UnavailableError:
            if unwritten is None:
                raise
            return unwritten

    async def of(self, key: str) -> Quarantine | None:
        """Return why a model may not be loaded; None when it may, as far as anybody knows."""
        try:
            return await self.held(key)
        except UnavailableError:
            return None

    async def refuse(self, key: str, name: str) -> None:
        """Raise QuarantinedError when a model may not be loaded, UnavailableError unseen."""
        found = await self.held(key)
        if found is not None:
            raise QuarantinedError(
                f"{name} is in quarantine: {found.reason} Look at that Spark, then press "
                "'Clear quarantine' on its card",
                model=key,
                since=found.since,
                host=found.host,
            )

    async def put(self, key: str, reason: str, host: str, swap_id: str) -> None:
        """Put a model in quarantine; never fails, an absent store is written to later."""
        since = self._clock.now().isoformat()
        self._unwritten.setdefault(
            key, Quarantine(reason=reason, since=since, host=host, swap_id=swap_id)
        )
        _log.error("model.quarantined", model=key, host=host, swap_id=swap_id)
        try:
            await self._write()
        except UnavailableError:
            _log.warning("model.quarantine_unwritten", model=key)
        await self._tell()

    async def release(self, key: str) -> Quarantine | None:
        """Let a model be loaded again; returns what held it. Raises UnavailableError."""
        await self._write()
        found = await self._records.release(key)
        if found is not None:
            _log.info("model.released", model=key)
            await self._tell()
        return found

    async def notes(self, keys: Sequence[str]) -> Mapping[str, ModelNote]:
        """Return what the cards of these models say. Raises UnavailableError."""
        await self._write()
        known = await self._records.notes(keys)
        return {key: known.get(key, ModelNote()) for key in keys}

    async def shown(self, keys: Sequence[str]) -> Mapping[str, ModelNote]:
        """Return the same as far as it is known: a card without its notes beats no card."""
        try:
            return await self.notes(keys)
        except SparkError:
            return {key: ModelNote(quarantine=self._unwritten.get(key)) for key in keys}

    async def keep_test(self, key: str, test: LastTest) -> None:
        """Remember the latest test or load of a model, if the store is there."""
        try:
            await self._records.keep_test(key, test)
        except UnavailableError:
            _log.warning("model.test_unwritten", model=key)
            return
        await self._tell()

    async def remember(self, job: SwapJob) -> None:
        """Keep on the card how the load of a swap that is over ended."""
        result = load_result(job)
        if result is not None:
            await self.keep_test(job.model, result)

    async def _write(self) -> None:
        for key, quarantine in list(self._unwritten.items()):
            await self._records.quarantine(key, quarantine)
            self._unwritten.pop(key, None)

    async def _tell(self) -> None:
        try:
            await self._on_change()
        except SparkError as error:
            _log.debug("model.change_untold", why=error.message)
