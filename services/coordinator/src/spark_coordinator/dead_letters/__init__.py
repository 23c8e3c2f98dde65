"""Dead letters of the bus, read from what the server noted about them."""

from spark_common.bus.port import Bus, Serving
from spark_common.contracts.dead_letters import LIST_DEAD_LETTERS
from spark_coordinator.dead_letters.desk import DeadLetterDesk
from spark_coordinator.feature import Feature


def dead_letters(bus: Bus) -> Feature:
    """Return the feature: one question, nothing that runs by itself."""
    return Feature(verbs=(Serving(LIST_DEAD_LETTERS, DeadLetterDesk(bus).list),))


__all__ = ["dead_letters"]
