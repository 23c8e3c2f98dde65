"""Chooses how a target is sent to; nothing that goes wrong in there stops a line."""

import structlog

from spark_coordinator.webhooks.ports import Answer, Parcel, Sender
from spark_coordinator.webhooks.targets import Target

_log = structlog.get_logger()


class KindSender:
    """A sender of every kind."""

    def __init__(self, webhook: Sender, notification: Sender) -> None:
        self._webhook = webhook
        self._notification = notification

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """Try once, in the way of the target's kind."""
        sender = self._webhook if target.kind == "webhook" else self._notification
        try:
            return await sender.send(target, parcel)
        except Exception as error:
            # Only the type: what it says may hold an address.
            _log.error("webhook.sender_broken", target=target.id, error=type(error).__name__)
            return Answer(ok=False, problem="spark-control could not send it; its log says why")
