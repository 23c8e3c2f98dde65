"""The one envelope on the bus: CloudEvents 1.0 attributes as structured JSON."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Envelope(BaseModel):
    """A CloudEvents 1.0 event; ``data`` is the JSON of one type of ``spark_common.events``.

    ``type`` carries the version: ``spark.swap.complete.v1``. ``id`` equals the
    ``Nats-Msg-Id`` header, so JetStream drops repeats.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    correlationid: str | None = None
    causationid: str | None = None
    data: dict[str, JsonValue]
