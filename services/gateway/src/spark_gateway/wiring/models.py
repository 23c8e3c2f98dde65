"""Puts together who serves which model: the servers, what they say of themselves, the names."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.settings import RuntimeSettings
from spark_common.settings.support import EmbedSettings
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.ports import Upstream, UpstreamNow
from spark_gateway.dataplane.router import SwapAwareRouter
from spark_gateway.dataplane.upstreams import Upstreams, embedder, redaction, speech
from spark_gateway.dataplane.watch import UpstreamWatch
from spark_gateway.front import Front
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.settings import GatewaySettings
from spark_gateway.speech_watch import SpeechWatch
from spark_gateway.traffic_feed import TrafficFeed


@dataclass(frozen=True)
class Models:
    """Where models are served, which, and under which names."""

    upstreams: Upstreams
    router: SwapAwareRouter
    watch: UpstreamWatch
    """Asks the model server."""
    beside: UpstreamWatch
    """Asks the embedding server."""
    speech: SpeechWatch
    """Asks the speech service."""
    catalogue: Catalogue
    names: LoadedNames

    def served_name(self) -> str:
        """Return what the model server calls its model; empty when it serves none."""
        models = self.watch.models()
        return models[0].id if models else ""

    def listen(self, front: Front) -> None:
        """Hear of swaps and of the menu."""
        feed = TrafficFeed(self.router, self.watch)
        front.hub.on_entry(feed.on_entry)
        front.board.on_picture(feed.on_picture)
        front.board.on_picture(self.catalogue.on_picture)
        front.hub.on_entry(self.names.on_entry)
        front.board.on_picture(self.names.on_picture)


def wire_models(
    settings: GatewaySettings, live: LiveSettings, client: httpx.AsyncClient, clock: Clock
) -> Models:
    """Wire them; nothing is asked yet."""
    cluster, inner = settings.cluster, settings.inner
    upstream = _upstream_now(cluster.hosts[0].address, live.of(cluster.runtime))
    upstreams = Upstreams(
        llm=upstream,
        embed=embedder(_embed_address(cluster.beside.address, live.of(settings.embed))),
        audio=speech(inner.audio_proxy_host, inner.audio_proxy_port),
        redaction=redaction(inner.redaction_host, inner.redaction_port),
    )
    router = SwapAwareRouter(upstream, clock, node=cluster.hosts[0].name)
    watch = UpstreamWatch(
        upstream, client, clock, tell=lambda served: router.set_serving(served.state == "serving")
    )
    beside = UpstreamWatch(upstreams.embed, client, clock)
    speech_watch = SpeechWatch(upstreams.audio, client, clock)
    naming, page = live.of(settings.names), live.of(settings.page)
    catalogue = Catalogue(
        loaded=lambda: watch.served,
        beside=lambda: beside.served,
        aliases=lambda: naming().model_aliases,
        lists_menu=lambda: naming().list_menu,
        hidden=lambda: page().disabled_services,
        made_at=int(clock.now().timestamp()),
        speech=lambda: speech_watch.spoken,
        coming=router.coming,
    )
    return Models(
        upstreams, router, watch, beside, speech_watch, catalogue, LoadedNames(watch.models)
    )


def _embed_address(spark: str, embed: Callable[[], EmbedSettings]) -> Callable[[], tuple[str, int]]:
    def now() -> tuple[str, int]:
        settings = embed()
        return settings.embed_host or spark, settings.embed_port

    return now


def _upstream_now(host: str, runtime: Callable[[], RuntimeSettings]) -> UpstreamNow:
    known: dict[int, Upstream] = {}

    def now() -> Upstream:
        port = runtime().vllm_port
        upstream = known.get(port)
        if upstream is None:
            upstream = known[port] = Upstream(host, port)
        return upstream

    return now
