"""Clients for what speaks plain HTTP on the private network: Sparks, NATS, our own services."""

import ssl
from typing import Any

import httpx


def plain_client(**options: Any) -> httpx.AsyncClient:
    """Return a client that goes straight to its address, whatever proxy the environment names.

    ``options`` are those of ``httpx.AsyncClient``. It reads no certificate authorities, which
    would cost every client 25 ms of start-up for addresses that have no certificate; so ``https``
    is refused by it, never trusted blindly.
    """
    return httpx.AsyncClient(verify=trusting_nobody(), trust_env=False, **options)


def trusting_nobody() -> ssl.SSLContext:
    """Return a TLS context that refuses every certificate."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
