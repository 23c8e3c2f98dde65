"""Sends one delivery over HTTP: signed, guarded, bounded in time, redirects not followed."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Sequence
from functools import cache

import httpcore

from spark_common.clock import Clock
from spark_common.errors import InvalidRequestError
from spark_common.forbidden_address import IpAddress
from spark_common.webhook_address import WebhookUrl, read_url
from spark_coordinator.webhooks.connecting import CheckedConnect
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.ports import Answer, Parcel, Resolver, SendError
from spark_coordinator.webhooks.signing import signed_headers
from spark_coordinator.webhooks.targets import Target

_READ_BYTES = 4096
_READ_SECONDS = 1.0


class WebhookSender:
    """The kind ``webhook``. Times in seconds."""

    def __init__(
        self,
        resolver: Resolver,
        guard: TargetGuard,
        clock: Clock,
        user_agent: str,
        connect_seconds: float = 5.0,
        total_seconds: float = 10.0,
    ) -> None:
        self._resolver = resolver
        self._guard = guard
        self._clock = clock
        self._user_agent = user_agent
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """Try once."""
        try:
            url = read_url(target.url or "")
            async with asyncio.timeout(self._total_seconds):
                addresses = await self._checked(target.id, url)
                with _explained(self._connect_seconds):
                    status = await self._post(url, addresses, target, parcel)
        except TimeoutError:
            return Answer(ok=False, problem=f"no answer within {self._total_seconds:g} s")
        except SendError as error:
            return Answer(ok=False, problem=str(error))
        except InvalidRequestError as error:
            return Answer(ok=False, problem=error.message)
        return _read(status)

    async def _checked(self, owner: str, url: WebhookUrl) -> Sequence[IpAddress]:
        addresses = await self._resolver.resolve(owner, url.host)
        refusal = self._guard.refusal(url.host, url.port, addresses)
        if refusal is not None:
            raise SendError(refusal)
        if not addresses:
            raise SendError("the name of its host has no address")
        return addresses

    async def _post(
        self, url: WebhookUrl, addresses: Sequence[IpAddress], target: Target, parcel: Parcel
    ) -> int:
        body = parcel.body.encode()
        secret = target.secret.get_secret_value() if target.secret else None
        now = int(self._clock.now().timestamp())
        headers = {
            "host": url.authority,
            "user-agent": self._user_agent,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept": "*/*",
            "connection": "close",
            **signed_headers(secret, parcel.id, now, body),
        }
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=url.scheme.encode(),
                host=url.host.encode(),
                port=url.port,
                target=url.path.encode(),
            ),
            headers=list(headers.items()),
            content=body,
            extensions={
                "timeout": {
                    "connect": self._connect_seconds,
                    "write": self._total_seconds,
                    "read": self._total_seconds,
                }
            },
        )
        pool = httpcore.AsyncConnectionPool(
            ssl_context=_trust(),
            max_keepalive_connections=0,
            network_backend=CheckedConnect(addresses),
        )
        async with pool:
            response = await pool.handle_async_request(request)
            try:
                await _read_a_little(response)
            finally:
                await response.aclose()
            return response.status


async def _read_a_little(response: httpcore.Response) -> None:
    """Take a small answer off the wire, so that its sender sees it was read; keep nothing."""
    seen = 0
    with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in response.aiter_stream():
                seen += len(chunk)
                if seen >= _READ_BYTES:
                    return


@contextlib.contextmanager
def _explained(connect_seconds: float) -> Iterator[None]:
    """Turn the library's errors into sentences."""
    try:
        yield
    except httpcore.ConnectTimeout as error:
        raise SendError(f"no connection within {connect_seconds:g} s") from error
    except httpcore.TimeoutException as error:
        raise SendError("no answer in time") from error
    except httpcore.ConnectError as error:
        raise SendError(_why_not_connected(error)) from error
    except httpcore.UnsupportedProtocol as error:
        raise SendError("this kind of address is not supported") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise SendError("the connection broke before an answer came") from error


def _why_not_connected(error: httpcore.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS as expected"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there: the connection was refused"
        cause = cause.__cause__ or cause.__context__
    return "it cannot be connected to"


def _read(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(ok=True, status=status)
    if 300 <= status < 400:
        return Answer(
            ok=False,
            status=status,
            problem=f"the receiver answered {status}, a redirect; redirects are not followed, "
            "enter the address it leads to",
        )
    return Answer(
        ok=False,
        status=status,
        problem=f"the receiver answered {status}",
        gone=status == 410,
    )


@cache
def _trust() -> ssl.SSLContext:
    """The authorities of this machine, a private one of the house included, and the usual ones."""
    context = httpcore.default_ssl_context()
    context.load_default_certs()
    return context
