"""What the owner decides about the home model."""

from typing import Annotated

from pydantic import Field, StringConstraints

from spark_common.settings import Settings


class HomeSettings(Settings):
    """The model that comes back by itself, and when."""

    home_model: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""
    """Key of the model that comes back when nobody needs the cluster; empty: none does."""
    home_idle_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60, allow_inf_nan=False)] = 15.0
    """Nobody may have held, waited, swapped or asked for this long before it comes back, in
    minutes."""
    home_always: bool = False
    """Bring it back whenever the cluster is idle, and not only after a lease ended."""
