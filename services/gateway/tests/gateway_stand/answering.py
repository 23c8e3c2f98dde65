"""A part of another service that says the same to everybody, until it is broken."""

from typing import Any

from spark_common.bus import Serving
from spark_common.contracts.rpc import Rpc


class Answering:
    """Keeps what it was asked; ``broken`` is raised instead of every answer."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.broken: Exception | None = None

    def answering(self, rpc: Rpc[Any, Any], reply: Any) -> Serving:
        async def answer(request: Any) -> Any:
            self.asked.append(request)
            if self.broken is not None:
                raise self.broken
            return reply

        return Serving(rpc, answer)
