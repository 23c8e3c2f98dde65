"""The owner's recipes as one file, for export and import of everything that is state."""

from typing import Annotated

from pydantic import StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

OverridesText = Annotated[str, StringConstraints(max_length=500_000)]


class ReadOverrides(Request):
    """Ask for the owner's file of recipes."""


class Overrides(Reply):
    """``models.override.yaml`` as it is."""

    text: str
    """Empty when there is none."""
    problems: list[str] = []
    """Entries that are left out, and why."""


class WriteOverrides(Request):
    """Replace the owner's file of recipes; what was there is kept beside it."""

    text: OverridesText
    requested_by: Text = "someone"


READ_OVERRIDES = Rpc("rpc.swapper.overrides.read", ReadOverrides, Overrides)
WRITE_OVERRIDES = Rpc("rpc.swapper.overrides.write", WriteOverrides, Overrides)
