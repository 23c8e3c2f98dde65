"""The settings feature on a real Redis and a bus in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_common.bus.port import Serving
from spark_common.contracts.overrides import (
    READ_OVERRIDES,
    WRITE_OVERRIDES,
    Overrides,
    ReadOverrides,
    WriteOverrides,
)
from spark_common.contracts.owner_settings import (
    CHANGE_SETTINGS,
    EXPORT_STATE,
    GET_SETTINGS,
    IMPORT_STATE,
    ChangeSettings,
    ExportState,
    GetSettings,
    Imported,
    ImportState,
    SettingsView,
    SettingView,
    StateDocument,
)
from spark_common.errors import InvalidRequestError
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.owner import StateSection, owner_feature


class Stack:
    """One install: its record, its data folder, its swapper's file of recipes."""

    def __init__(self, redis: Redis, folder: Path, environment: Mapping[str, str] = {}) -> None:
        self.redis = redis
        self.folder = folder
        self.environment = dict(environment)
        self.clock = FakeClock()
        self.broker = MemoryBroker(clock=self.clock)
        self.asker = MemoryBus("gateway", self.broker)
        self.recipes = ""
        self.hints: list[dict[str, Any]] = []
        self.loops: list[asyncio.Task[None]] = []

    async def start(self, *sections: StateSection, swapper: bool = True) -> None:
        """Start a coordinator on what is there; a second call is its restart."""
        self.bus = MemoryBus("coordinator", self.broker)
        self.live = LiveSettings(RedisOverlay(self.redis), self.bus, self.clock)
        feature = owner_feature(
            bus=self.bus,
            redis=self.redis,
            clock=self.clock,
            live=self.live,
            environment=self.environment,
            data_dir=self.folder,
            sections=sections,
        )
        self.loops = [asyncio.ensure_future(loop()) for loop in feature.background]
        self.loops.append(asyncio.ensure_future(self._hear()))
        await self.bus.serve("coordinator", "1", "test", feature.verbs)
        if swapper:
            verbs = [Serving(READ_OVERRIDES, self._read), Serving(WRITE_OVERRIDES, self._write)]
            await MemoryBus("swapper", self.broker).serve("swapper", "1", "test", verbs)

    async def view(self) -> SettingsView:
        return await self.asker.call(GET_SETTINGS, GetSettings())

    async def setting(self, name: str) -> SettingView:
        return next(one for one in (await self.view()).settings if one.name == name)

    async def set(self, **values: Any) -> SettingsView:
        return await self.asker.call(CHANGE_SETTINGS, ChangeSettings(values=values))

    async def change(self, **request: Any) -> SettingsView:
        return await self.asker.call(CHANGE_SETTINGS, ChangeSettings(**request))

    async def export(self, passphrase: str | None = None) -> StateDocument:
        return await self.asker.call(EXPORT_STATE, ExportState(passphrase=passphrase))

    async def take_in(
        self, document: dict[str, Any], passphrase: str | None = None, *, dry_run: bool = False
    ) -> Imported:
        request = ImportState(document=document, passphrase=passphrase, dry_run=dry_run)
        return await self.asker.call(IMPORT_STATE, request)

    async def stop(self) -> None:
        await end(self.loops)
        if self.loops:
            await self.bus.close()

    async def _hear(self) -> None:
        async for _, body in self.asker.listen("settings.changed"):
            self.hints.append(json.loads(body)["data"])

    async def _read(self, _request: ReadOverrides) -> Overrides:
        return Overrides(text=self.recipes)

    async def _write(self, request: WriteOverrides) -> Overrides:
        if "models:" not in request.text:
            raise InvalidRequestError("models.override.yaml has no mapping 'models'")
        self.recipes = request.text
        return Overrides(text=request.text)


@pytest_asyncio.fixture
async def make_stack(redis: Redis, tmp_path: Path) -> AsyncIterator[Callable[..., Stack]]:
    """Return a function that makes installs, stopped at the end."""
    made: list[Stack] = []

    def make(where: Redis = redis, folder: Path = tmp_path) -> Stack:
        made.append(Stack(where, folder))
        return made[-1]

    yield make
    for stack in made:
        await stack.stop()


@pytest_asyncio.fixture
async def stack(make_stack: Callable[..., Stack]) -> Stack:
    """Return an install that is running."""
    stack = make_stack()
    await stack.start()
    return stack


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """Return where an old install kept its settings."""
    return tmp_path / "app_settings.json"
