"""What the owner edits: settings, their migration, and export and import of all state."""

from spark_coordinator.owner.feature import owner_feature
from spark_coordinator.owner.state.section import Exported, StateSection, TakenIn

__all__ = ["Exported", "StateSection", "TakenIn", "owner_feature"]
