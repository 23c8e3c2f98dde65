"""What passes through the gateway now, and a first token asked for the way clients ask."""

from typing import Literal

from pydantic import Field

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text


class GetTraffic(Request):
    """Ask what the data plane carries at this moment."""


class Traffic(Reply):
    """Requests to the runtime that one gateway has in hand. Counts, not estimates."""

    in_flight: int
    """Taken on and not over: being sent, waited for, or answered; streams included."""
    waiting: int = 0
    """Of these: not a byte of their answer has come yet."""
    models: dict[str, int] = {}
    """``in_flight`` by the name that was served when the request was taken on."""
    taken_on: int | None = None
    """Taken on since this gateway started; another number means that somebody asked meanwhile."""
    refused: int = 0
    """Requests answered 503 since this gateway started."""
    held_off_by: str | None = None
    """Id of the swap because of which new requests are answered 503 now."""


class AskFirstToken(Request):
    """Have the gateway ask the runtime through its own front door, though a swap runs.

    The question goes on while nobody waits for it; asking again joins it.
    """

    served_name: Text
    pooling: bool = False
    """The model has no chat: it is asked for an embedding."""
    patience_seconds: float = Field(default=5.0, gt=0, le=30)
    """How long the reply may take; what is not known by then is ``waiting``."""


class FirstToken(Reply):
    """Whether a token came."""

    state: Literal["came", "waiting", "missing"]
    problem: str | None = None
    """Why none came, when it is missing."""


GET_TRAFFIC = Rpc("rpc.gateway.traffic.get", GetTraffic, Traffic)
FIRST_TOKEN = Rpc("rpc.gateway.traffic.first_token", AskFirstToken, FirstToken)
