"""The gateway's settings, frozen at start."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from spark_common.settings import (
    Address,
    BusSettings,
    HostsSettings,
    HttpSettings,
    Port,
    Settings,
)
from spark_common.settings.policies import (
    DataPathSettings,
    HoldSettings,
    KeySettings,
    ModelNamesSettings,
    QueueSettings,
    RequestLogSettings,
)
from spark_common.settings.support import EmbedSettings, PageSettings, QdrantSettings
from spark_gateway.origin_guard import Network


def _words(text: object) -> object:
    """Split a list as people write it into a variable: commas, blanks or both."""
    if isinstance(text, str):
        return tuple(word.lower() for word in text.replace(",", " ").split())
    return text


def _networks(text: object) -> object:
    if isinstance(text, str):
        return tuple(ipaddress.ip_network(word, strict=False) for word in _split(text))
    return text


def _split(text: str) -> list[str]:
    return text.replace(",", " ").split()


class InnerSettings(Settings):
    """Where the services of the product are to which requests are passed on."""

    audio_proxy_host: Address = "127.0.0.1"
    audio_proxy_port: Port = 9103
    redaction_host: Address = "127.0.0.1"
    redaction_port: Port = 9104


class GatewaySettings(Settings):
    """Everything the gateway reads from its environment."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9999"}

    bus: BusSettings
    http: HttpSettings
    cluster: HostsSettings
    data_path: DataPathSettings = DataPathSettings()
    names: ModelNamesSettings = ModelNamesSettings()
    embed: EmbedSettings = EmbedSettings()
    page: PageSettings = PageSettings()
    inner: InnerSettings = InnerSettings()
    keys: KeySettings = KeySettings()
    queue: QueueSettings = QueueSettings()
    hold: HoldSettings = HoldSettings()
    request_log: RequestLogSettings = RequestLogSettings()
    qdrant: QdrantSettings = QdrantSettings()
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    """Host names to answer beside addresses, localhost, single labels and ``*.local``."""
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = ()
    """Addresses or networks whose ``X-Forwarded-Host`` and ``-Proto`` are believed."""
    demo: bool = False
    """The Sparks are simulated; the dashboard says so."""
