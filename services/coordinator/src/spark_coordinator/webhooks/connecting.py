"""Connects to the addresses that were checked: there is no second lookup that could differ."""

from collections.abc import Iterable, Sequence

import httpcore

from spark_common.forbidden_address import IpAddress

_MOST_ADDRESSES = 4


class CheckedConnect(httpcore.AsyncNetworkBackend):
    """Ignores the name it is given, which stays in ``Host`` and in TLS, and takes the addresses."""

    def __init__(self, addresses: Sequence[IpAddress]) -> None:
        self._addresses = list(addresses)[:_MOST_ADDRESSES]
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try one after the other; each has its part of the time."""
        last: Exception = httpcore.ConnectError("no address")
        part = None if timeout is None else timeout / max(len(self._addresses), 1)
        for address in self._addresses:
            try:
                return await self._inner.connect_tcp(str(address), port, part, local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a target is a host."""
        raise httpcore.ConnectError("no unix sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait between the library's own repeats; there are none."""
        await self._inner.sleep(seconds)
