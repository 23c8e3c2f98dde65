"""The one target that needs no registration."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

from spark_common.errors import InvalidRequestError
from spark_common.settings import Settings
from spark_coordinator.webhooks.address import read_url


def _check(text: str) -> str:
    try:
        return str(read_url(text))
    except InvalidRequestError as error:
        raise ValueError(error.message) from error


class WebhookSettings(Settings):
    """Where the outcomes of swaps are posted, as in the earlier system."""

    webhook_url: (
        Annotated[str, StringConstraints(max_length=2000), AfterValidator(_check)] | None
    ) = None
    """Is told how every swap ended; more targets are under Notifications. No user or password."""
    webhook_secret: SecretStr | None = None
    """Signs every delivery to it, as ``X-Spark-Signature`` and by Standard Webhooks."""
