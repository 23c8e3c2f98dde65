"""Doubles that behave: names, receivers, and one coordinator's webhooks on them."""

from spark_coordinator.webhooks.testing.bench import EVENTS, NOW, Bench, swaps
from spark_coordinator.webhooks.testing.receivers import BAD, GONE, GOOD, Names, Receivers

__all__ = ["BAD", "EVENTS", "GONE", "GOOD", "NOW", "Bench", "Names", "Receivers", "swaps"]
