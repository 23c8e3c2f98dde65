"""Environment to frozen settings: one class per service, made of the groups below."""

from spark_common.settings.groups import (
    BusSettings,
    ClusterSettings,
    HostSettings,
    HostsSettings,
    HttpSettings,
    RedisSettings,
    RuntimeSettings,
)
from spark_common.settings.load import Env, Settings, SettingsError, load, load_or_exit
from spark_common.settings.values import Address, Port, Seconds

__all__ = [
    "Address",
    "BusSettings",
    "ClusterSettings",
    "Env",
    "HostSettings",
    "HostsSettings",
    "HttpSettings",
    "Port",
    "RedisSettings",
    "RuntimeSettings",
    "Seconds",
    "Settings",
    "SettingsError",
    "load",
    "load_or_exit",
]
