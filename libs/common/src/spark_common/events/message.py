"""What every message on the bus is: a typed, versioned body of an envelope."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A typed body of an envelope."""

    type: ClassVar[str]
    version: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents ``type``: ``spark.swap.complete.v1``."""
        return f"spark.{cls.type}.v{cls.version}"


class Event(Message):
    """Something that happened."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Command(Message):
    """Something that shall happen, accepted once and carried out once."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
