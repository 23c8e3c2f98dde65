"""Keeps the target of ``WEBHOOK_URL`` as the settings have it now."""

from collections.abc import Callable

import structlog
from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.errors import InvalidRequestError, SparkError
from spark_common.settings.support import WebhookSettings
from spark_common.webhook_address import read_url
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import DEFAULT_ID, Target

_LOOK_SECONDS = 1.0
_SETTLING_SECONDS = 60.0
"""Settings are live everywhere within two seconds, unless something is away."""

_log = structlog.get_logger()


class DefaultTarget:
    """The settings decide about url and secret, the owner about topics and whether it is on."""

    def __init__(
        self,
        settings: Callable[[], WebhookSettings],
        store: WebhookStore,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry
        self._clock = clock
        self._problem = ""

    async def keep(self) -> None:
        """Look for ever, every second."""
        while True:
            try:
                await self.look()
                self._problem = ""
            except SparkError as error:
                if error.message != self._problem:
                    _log.warning("webhook.default_waits", reason=error.message)
                self._problem = error.message
            await self._clock.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Make, change or remove it where it differs from the settings."""
        settings = self._settings()
        url, secret = _canonical(settings.webhook_url), settings.webhook_secret
        standing, _ = await self._store.target(DEFAULT_ID)
        if url is None:
            if standing is not None and not self._awaits_settings(standing):
                await self._store.remove(DEFAULT_ID)
            return
        if standing is None or (standing.url, standing.secret) != (url, secret):
            await self._registry.change(
                DEFAULT_ID, lambda standing: self._as_set(url, secret, standing), check=False
            )

    def _awaits_settings(self, standing: Target) -> bool:
        """Say whether an import made it a moment ago, whose settings are not live here yet."""
        age = (self._clock.now() - standing.created_at).total_seconds()
        return standing.url is None and 0 <= age < _SETTLING_SECONDS

    def _as_set(self, url: str, secret: SecretStr | None, standing: Target | None) -> Target:
        made = standing or Target(
            id=DEFAULT_ID, name="WEBHOOK_URL", from_settings=True, created_at=self._clock.now()
        )
        return made.model_copy(update={"url": url, "secret": secret})


def _canonical(text: str | None) -> str | None:
    """Return the one form of an address; what is none stays, and every try says what is wrong."""
    try:
        return None if text is None else str(read_url(text))
    except InvalidRequestError:
        return text
