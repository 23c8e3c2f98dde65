"""The home model: the owner's usual model, and whether it comes back now."""

from datetime import datetime
from typing import Literal

from spark_common.contracts.rpc import Reply, Request, Rpc

HOME_REQUESTER = "home model"
"""``requested_by`` of the swaps that bring it back."""


class GetHome(Request):
    """Ask how it stands."""


class HomeView(Reply):
    """How it stands with the home model."""

    model: str | None = None
    """As it was set; None when there is none."""
    state: Literal["off", "loaded", "waiting", "respected", "asking", "backing_off", "blocked"]
    """``respected``: somebody chose another model without a lease, so that stays.
    ``blocked``: it cannot be loaded until a person does something."""
    sentence: str
    """What it waits for or what to do, in plain English."""
    next_try_at: datetime | None = None
    """While it backs off after a refusal or a failure."""


GET_HOME = Rpc("rpc.coordinator.home.get", GetHome, HomeView)
