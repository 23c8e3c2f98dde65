"""The composition root of redaction: the one place that knows every concrete class."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import structlog

from spark_common.bus.nats import connect_bus
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.redis_access import connect_redis
from spark_common.service import ReadyCheck, Service
from spark_common.service.compose import compose
from spark_redaction.desk.auditing import AuditNews
from spark_redaction.desk.desk import Desk
from spark_redaction.desk.keeper import Keeper
from spark_redaction.desk.keeping import KeepingVerbs
from spark_redaction.desk.verbs import TextVerbs
from spark_redaction.settings import RedactionSettings
from spark_redaction.unknown.wiring import wire_names
from spark_redaction.vault.keyfile import read_master_key
from spark_redaction.vault.vault import Vault
from spark_redaction.web.routes import Routes
from spark_redaction.work.pool import Workers

NAME = "redaction"
DESCRIPTION = "Scrubs and rehydrates text"
_PURGE_SECONDS = 60.0

log = structlog.get_logger()


async def build(settings: RedactionSettings, clock: Clock) -> Service:
    """Open the map and connect; raises UnavailableError while NATS or the map is away.

    A missing or unsafe key file is a SettingsError: nothing starts without it.
    """
    master = read_master_key(settings.map.redaction_key_file)
    async with AsyncExitStack() as opened:
        vault = Vault(settings.map.redaction_map_db, master)
        opened.push_async_callback(vault.close)
        workers = Workers(
            settings.map.redaction_workers,
            settings.map.redaction_waiting,
            settings.map.redaction_budget_seconds,
        )
        opened.callback(workers.close)
        await workers.warm()
        bus = await connect_bus(settings.bus, NAME, clock)
        redis = connect_redis(settings.redis, NAME)
        live = LiveSettings(RedisOverlay(redis), bus, clock)
        names = wire_names(settings, live, clock)
        opened.push_async_callback(names.close)
        news = AuditNews(bus)
        desk = Desk(vault, workers, clock, names.finders, news)
        keeper = Keeper(desk)
        await keeper.purge()
        service = await compose(
            NAME,
            DESCRIPTION,
            bus,
            redis,
            clock,
            verbs=[
                *TextVerbs(desk, settings.map.redaction_max_bytes).verbs(),
                *KeepingVerbs(desk).verbs(),
            ],
            checks=[ReadyCheck("map", vault.problem)],
            background=[live.run, news.run, lambda: _purge(keeper, clock)],
            warnings=lambda: (*settings.warnings, *live.warnings, *names.warnings()),
        )
        opened.push_async_callback(service.close)
        resources = opened.pop_all()
    return replace(
        service,
        routes=Routes(desk, settings.map.redaction_max_bytes).all(),
        close=resources.aclose,
    )


async def _purge(keeper: Keeper, clock: Clock) -> None:
    while True:
        await clock.sleep(_PURGE_SECONDS)
        try:
            forgotten = await keeper.purge()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.error("redaction.purge_failed", error=type(error).__name__)
            continue
        if forgotten:
            log.info("redaction.forgotten", scopes=forgotten)
