"""Export and import of everything that is state, as one document."""

from spark_coordinator.owner.state.section import Exported, StateSection, TakenIn

__all__ = ["Exported", "StateSection", "TakenIn"]
