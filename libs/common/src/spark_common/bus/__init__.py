"""The bus: events told, commands stored, questions asked. Nothing of nats-py leaks from here."""

from spark_common.bus.port import (
    Bus,
    BusHealth,
    Delivery,
    Duplicate,
    Handler,
    PublishResult,
    Refused,
    Serving,
    Stored,
    StoredMessage,
    Unknown,
)

__all__ = [
    "Bus",
    "BusHealth",
    "Delivery",
    "Duplicate",
    "Handler",
    "PublishResult",
    "Refused",
    "Serving",
    "Stored",
    "StoredMessage",
    "Unknown",
]
