"""The composition root of audio-proxy: the one place that knows every concrete class."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from spark_audio_proxy.announcing import NAME, announce
from spark_audio_proxy.api.http_app import build_http
from spark_audio_proxy.feature import Feature
from spark_audio_proxy.intake.limiter import MEGABYTE
from spark_audio_proxy.jobs.store import RedisJobs
from spark_audio_proxy.jobs.wiring import wire_jobs
from spark_audio_proxy.listing.wiring import voice_book, wire_listing
from spark_audio_proxy.recovery.wiring import wire_recovery
from spark_audio_proxy.request_news import RequestNews
from spark_audio_proxy.settings import AudioProxySettings
from spark_audio_proxy.speakers.session_store import RedisSessions
from spark_audio_proxy.speakers.voice_store import RedisVoices
from spark_audio_proxy.speaking.wiring import wire_speaking
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.upstreams.places import SpeechServers
from spark_audio_proxy.wiring import wire_hearing, wire_permits
from spark_common.bus.late import LateBus
from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import read_seed
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.redis_access import connect_redis
from spark_common.service import Service, bus_check
from spark_common.service.compose import redis_check


async def build(settings: AudioProxySettings, clock: Clock) -> Service:
    """Wire audio-proxy. Nothing here waits for NATS, Redis or a Spark: speech works without."""
    read_seed(settings.bus.seed_file)
    async with AsyncExitStack() as opened:
        redis = connect_redis(settings.redis, NAME)
        opened.push_async_callback(redis.aclose)
        bus = LateBus(lambda: connect_bus(settings.bus, NAME, clock), clock)
        opened.push_async_callback(bus.close)
        live = LiveSettings(RedisOverlay(redis), bus, clock)
        servers = SpeechServers(
            settings.cluster.hosts[0].address,
            places=live.of(settings.places),
            parakeet=live.of(settings.parakeet),
            kokoro=live.of(settings.kokoro),
            magpie=live.of(settings.magpie),
            page=live.of(settings.page),
        )
        speech = live.of(settings.speech)
        parakeet = UpstreamHttp("parakeet", "the speech server", lambda: servers.url("parakeet"))
        kokoro = UpstreamHttp("kokoro", "the voice server", lambda: servers.url("kokoro"))
        magpie = UpstreamHttp("magpie", "Magpie", lambda: servers.url("magpie"))
        for upstream in (parakeet, kokoro, magpie):
            opened.push_async_callback(upstream.close)
        permits = wire_permits(redis, speech, clock)
        recovery = wire_recovery(parakeet, redis, bus, permits, clock)
        hearing = wire_hearing(
            permits=permits,
            guardian=recovery.guard,
            http=parakeet,
            speech=speech,
            decoding=settings.decoding,
            voices=RedisVoices(redis),
            kept_sessions=RedisSessions(redis),
            clock=clock,
            more=recovery.shown,
        )
        book = voice_book(kokoro, magpie, clock)
        kept_sound = settings.decoding.data_dir / "spoken"
        speaking = wire_speaking(
            kokoro,
            magpie,
            book,
            permits,
            live.of(settings.voice),
            kept_sound,
            clock,
            recovery.voice_failed,
        )
        features: Sequence[Feature] = (
            hearing.feature,
            recovery.feature,
            wire_jobs(hearing, RedisJobs(redis), bus, clock),
            wire_listing(book, parakeet, recovery.works, clock),
            speaking,
        )
        for feature in features:
            if feature.close is not None:
                opened.push_async_callback(feature.close)
        checks = (
            bus_check(bus),
            redis_check(redis),
            *(check for feature in features for check in feature.checks),
        )

        def warnings() -> Sequence[str]:
            return (*settings.warnings, *live.warnings)

        news = RequestNews(bus, clock)
        kept = opened.pop_all()
        return Service(
            NAME,
            checks=checks,
            app=build_http(
                [router for feature in features for router in feature.routers],
                lambda: int(speech().max_upload_mb * MEGABYTE),
                clock,
                news,
            ),
            background=(
                bus.run,
                live.run,
                news.run,
                lambda: announce(
                    bus, clock, [verb for each in features for verb in each.verbs], checks, warnings
                ),
                *(loop for feature in features for loop in feature.background),
            ),
            close=kept.aclose,
        )
