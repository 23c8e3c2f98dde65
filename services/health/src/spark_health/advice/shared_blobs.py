"""New versions of the hub's client keep weights of all models in one store."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight


class SharedBlobs:
    """The hub's cache has a store beside the models."""

    name = "shared_blobs"
    heading = "Weights lie in a shared store"

    def find(self, sight: Sight, shown: HostHardware) -> Found | None:
        """Return it when the store is there and not empty."""
        if not sight.rest.shared_blobs:
            return None
        return Found(
            "hint",
            f"Weights on {shown.label} lie in a store that models share: copying or deleting a "
            "model's folder by hand moves or frees nothing, use the buttons here.",
        )
