"""Asks what people put on the list by the addresses behind its name, once each was checked.

A name is looked up once, and what was found is what is connected to: no second lookup can lead
anywhere else. What lies at an address where clouds keep their metadata, or at none of a single
machine, is never asked.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final, Protocol

import httpx

from spark_common.forbidden_address import IpAddress, addresses_in, forbidden

_MOST_ADDRESSES: Final = 4
_LOOKUP_SECONDS: Final = 3.0


class ForbiddenTargetError(httpx.ConnectError):
    """An address behind the name is one that nothing is sent to; the text says why."""


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def resolve(self, host: str) -> Sequence[IpAddress]:
        """Return every address; raises OSError when there is none."""
        ...


class SystemResolver:
    """Asks as every program of this machine does; one lookup of a name at a time.

    A lookup that hangs keeps its thread. Who asks again meanwhile waits for the same one.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[list[IpAddress]]] = {}

    async def resolve(self, host: str) -> Sequence[IpAddress]:
        """Return every address, each once."""
        task = self._under_way.get(host)
        if task is None:
            task = self._under_way[host] = asyncio.create_task(_look_up(host))
            task.add_done_callback(lambda done: self._over(host, done))
        return await asyncio.shield(task)

    def _over(self, host: str, task: "asyncio.Task[list[IpAddress]]") -> None:
        del self._under_way[host]
        if not task.cancelled():
            task.exception()


class CheckedTransport(httpx.AsyncBaseTransport):
    """Hands requests on to another transport, by address; ``Host`` keeps the name."""

    def __init__(self, inner: httpx.AsyncBaseTransport, resolver: Resolver) -> None:
        self._inner = inner
        self._resolver = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Try the addresses one after the other; each has its part of the time to connect.

        Raises ForbiddenTargetError before anything is connected to.
        """
        addresses = await self._addresses(request.url.host)
        last: httpx.TransportError = httpx.ConnectError("its name has no address")
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_to(request, address, len(addresses)))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                last = error
        raise last

    async def aclose(self) -> None:
        """Close the other one."""
        await self._inner.aclose()

    async def _addresses(self, host: str) -> Sequence[IpAddress]:
        try:
            found: Sequence[IpAddress] = [ipaddress.ip_address(host)]
        except ValueError:
            try:
                async with asyncio.timeout(_LOOKUP_SECONDS):
                    found = await self._resolver.resolve(host)
            except TimeoutError as error:
                raise httpx.ConnectTimeout("its name is not found in time") from error
            except (OSError, UnicodeError) as error:
                raise httpx.ConnectError("its name is not found") from error
        for address in found:
            if (why := forbidden(address)) is not None:
                raise ForbiddenTargetError(why)
        return found[:_MOST_ADDRESSES]


def _to(request: httpx.Request, address: IpAddress, among: int) -> httpx.Request:
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    timeout = dict(extensions.get("timeout") or {})
    if timeout.get("connect") is not None:
        extensions["timeout"] = timeout | {"connect": timeout["connect"] / among}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


async def _look_up(host: str) -> list[IpAddress]:
    loop = asyncio.get_running_loop()
    return addresses_in(await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM))
