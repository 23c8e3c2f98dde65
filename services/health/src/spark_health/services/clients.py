"""Who asks which service: what people put on the list is asked at checked addresses alone."""

from dataclasses import dataclass

import httpx

from spark_common.plain_http import trusting_nobody
from spark_health.services.service import Service
from spark_health.watching.first.checked_http import CheckedTransport, Resolver


@dataclass(frozen=True)
class Clients:
    """One client for what the settings name, one for what is on the owner's list."""

    known: httpx.AsyncClient
    listed: httpx.AsyncClient

    def of(self, service: Service) -> httpx.AsyncClient:
        """Return the one that asks this service."""
        return self.listed if service.origin == "custom" else self.known


def checked_client(resolver: Resolver) -> httpx.AsyncClient:
    """Return a client like ``plain_client`` that asks nobody at a forbidden address."""
    inner = httpx.AsyncHTTPTransport(verify=trusting_nobody(), trust_env=False)
    return httpx.AsyncClient(transport=CheckedTransport(inner, resolver), trust_env=False)
