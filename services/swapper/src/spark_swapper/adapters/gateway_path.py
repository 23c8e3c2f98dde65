"""The way clients take, asked for on the bus."""

from spark_common.bus.port import Bus
from spark_common.contracts.traffic import (
    FIRST_TOKEN,
    GET_TRAFFIC,
    AskFirstToken,
    GetTraffic,
    Traffic,
)
from spark_common.errors import SparkError

_COUNT_SECONDS = 1.0
_PATIENCE_SECONDS = 4.0
"""A gateway that is killed while it waits for a token is missed after this long."""


class GatewayPath:
    """Any gateway that answers; with replicas it is one of them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def traffic(self) -> Traffic | None:
        """Return what the gateway has in hand now; None when none answers."""
        try:
            return await self._bus.call(GET_TRAFFIC, GetTraffic(), timeout_seconds=_COUNT_SECONDS)
        except SparkError:
            return None

    async def first_token(self, served_name: str, *, pooling: bool) -> str | None:
        """Have a token come through the front door; None when it came, else why it did not."""
        question = AskFirstToken(
            served_name=served_name, pooling=pooling, patience_seconds=_PATIENCE_SECONDS
        )
        while True:
            told = await self._bus.call(
                FIRST_TOKEN, question, timeout_seconds=2 * _PATIENCE_SECONDS
            )
            if told.state == "came":
                return None
            if told.state == "missing":
                return told.problem or "no token came"
