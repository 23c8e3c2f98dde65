"""What the owner edits under the gear: one table of fields, live in every service."""

from spark_common.owner.live import LiveSettings, OneVersion, unchanging
from spark_common.owner.overlay import BusOverlay, OverlaySource, OwnerValues
from spark_common.owner.sections import SECTIONS, TABLE
from spark_common.owner.table import Field, Section, Table

__all__ = [
    "SECTIONS",
    "TABLE",
    "BusOverlay",
    "Field",
    "LiveSettings",
    "OneVersion",
    "OverlaySource",
    "OwnerValues",
    "Section",
    "Table",
    "unchanging",
]
