"""Dead letters of the bus: messages that no worker could handle, and what to do about each."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spark_common.contracts.rpc import Reply, Request, Rpc


class ListDeadLetters(Request):
    """Ask for the newest ones, or for those before a number."""

    limit: int = Field(default=50, ge=1, le=100)
    before: int | None = Field(default=None, ge=1)


class DeadLetter(Reply):
    """One message that will not be delivered again. What it says stays where it is stored."""

    number: int
    at: datetime
    stream: str
    consumer: str
    why: Literal["given_up", "refused"]
    """Delivered too often, or put away by its worker."""
    sentence: str
    action: str
    """What to press or do."""
    deliveries: int
    message_number: int
    """Of the message in its stream."""
    subject: str | None = None
    """None when the message is not kept any more."""
    message_id: str | None = None


class DeadLetters(Reply):
    """The newest first. ``older_before`` asks for the next page; None when there is none."""

    letters: list[DeadLetter] = []
    older_before: int | None = None


LIST_DEAD_LETTERS = Rpc("rpc.coordinator.dead_letters.list", ListDeadLetters, DeadLetters)
