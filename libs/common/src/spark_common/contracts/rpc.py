"""The type of a question on the bus."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A question or a command: frozen, and an unknown field is a typo that must not act."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(BaseModel):
    """An answer: frozen, and an unknown field comes from a newer service and is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


RequestT = TypeVar("RequestT", bound=BaseModel)
ReplyT = TypeVar("ReplyT", bound=BaseModel)


@dataclass(frozen=True)
class Rpc(Generic[RequestT, ReplyT]):
    """One verb of one service: ``rpc.<service>.<noun>.<verb>``."""

    subject: str
    request: type[RequestT]
    reply: type[ReplyT]

    @property
    def service(self) -> str:
        """The service that answers, for example ``swapper``."""
        return self.subject.split(".")[1]
