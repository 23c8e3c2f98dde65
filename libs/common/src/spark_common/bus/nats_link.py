"""One connection to NATS: reconnects for ever, remembers what went wrong, hides nats-py."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from spark_common.bus.nats_flush import AWAY, Flushes
from spark_common.bus.refusals import Refusals
from spark_common.bus.server_check import OLDEST_SERVER
from spark_common.clock import Clock
from spark_common.errors import DeadlineExceededError, UnavailableError
from spark_common.settings import SettingsError
from spark_common.tasks import stay_cancelled

_CONNECT_SECONDS = 3.0
_API_SECONDS = 2.0
_DRAIN_SECONDS = 10.0
_REFUSED = "NATS refuses our identity: check NATS_SEED_FILE"

log = structlog.get_logger(__name__)


class ApiError(UnavailableError):
    """JetStream answered with an error; ``err_code`` is its own number."""

    def __init__(self, err_code: int, description: str) -> None:
        super().__init__(f"JetStream: {description}")
        self.err_code = err_code


class SubjectRefusedError(UnavailableError):
    """The server did not take what was just sent: this identity may not publish there."""


class IdentityRefusedError(UnavailableError):
    """The server is there and does not know who we are."""


def end_process() -> None:
    """End at once: a connection that is closed for good is healed by a new process."""
    sys.stdout.flush()
    os._exit(1)


class Reader(Protocol):
    """Somebody who waits for messages and wants to hear of reconnects and of the end."""

    def nudge(self) -> None:
        """Look around you."""
        ...


_CANCELS = 20
"""How often a reconnect is told to end before it is given up."""


class NatsLink:
    """The connection of one identity, with the settings that survive a broken network."""

    def __init__(self, source: str, clock: Clock, on_lost: Callable[[], None]) -> None:
        self.source = source
        self.clock = clock
        self.client = Client()
        self.closing = False
        self.readers: set[Reader] = set()
        self.errors = 0
        """How many errors the server or the network reported."""
        self.reconnects = 0
        self._on_lost = on_lost
        self._trouble: str | None = None
        self.refusals = Refusals()
        self._flushes = Flushes(self.client)
        self._connecting = True
        self._end: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return bool(self.client.is_connected)

    def undisturbed(self, reconnects: int) -> bool:
        """Say whether neither the end nor another reconnect than those counted has come."""
        return not self.closing and self.reconnects == reconnects

    @property
    def last_error(self) -> str | None:
        """A refused subject for as long as it counts; trouble of the network until it is over."""
        return self.refused or (None if self.connected else self._trouble or AWAY)

    @property
    def refused(self) -> str | None:
        """What the server refused us and still counts."""
        return self.refusals.newest(self.clock.monotonic())

    async def connect(self, url: str, seed: str | None) -> None:
        """Try once; raises UnavailableError within three seconds."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self.client.connect(
                    url,
                    name=self.source,
                    nkeys_seed_str=seed,
                    inbox_prefix=f"_INBOX_{self.source}",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.25,  # type: ignore[arg-type]  # seconds, used as a float
                    ping_interval=5,
                    max_outstanding_pings=2,
                    pending_size=0,
                    connect_timeout=2,
                    drain_timeout=int(_DRAIN_SECONDS),
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_reconnected,
                    closed_cb=self._on_closed,
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            self.closing, self._connecting = True, False
            await self._close_client()
            if self._trouble == _REFUSED:
                raise IdentityRefusedError(_REFUSED) from error
            raise UnavailableError(self._trouble or AWAY) from error
        version = self.client.connected_server_version
        if (version.major, version.minor) < OLDEST_SERVER:
            await self.close()
            raise UnavailableError(
                f"nats-server 2.12 or newer is needed, this one is {version.major}.{version.minor}"
            )
        self._connecting = False
        self._trouble = None

    async def request(
        self, subject: str, payload: bytes, timeout_seconds: float, headers: dict[str, str] | None
    ) -> Msg:
        """Ask and wait.

        Raises NoRespondersError, DeadlineExceededError, SubjectRefusedError, UnavailableError.
        """
        sent = self.clock.monotonic()
        try:
            reply = await self.client.request(
                subject, payload, timeout=timeout_seconds, headers=headers
            )
            stay_cancelled()
            return reply
        except nats.errors.NoRespondersError:
            raise
        except nats.errors.MaxPayloadError:
            raise
        except (nats.errors.TimeoutError, TimeoutError) as error:
            # A forbidden subject is not answered, it is only reported beside the connection.
            if self.refusals.publishing(subject, since=sent):
                raise SubjectRefusedError(f"no permission to publish on {subject}") from error
            raise DeadlineExceededError(f"no answer within {timeout_seconds:g} s") from error
        except nats.errors.Error as error:
            raise UnavailableError(AWAY) from error

    async def api(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the JetStream API; raises ApiError with its number, or UnavailableError."""
        payload = json.dumps(body).encode() if body else b""
        try:
            reply = await self.request(f"$JS.API.{verb}", payload, _API_SECONDS, None)
        except nats.errors.NoRespondersError as error:
            raise UnavailableError("JetStream does not answer; is it enabled?") from error
        answer: dict[str, Any] = json.loads(reply.data)
        if fault := answer.get("error"):
            raise ApiError(int(fault.get("err_code", 0)), str(fault.get("description", "")))
        return answer

    async def guarded(self, awaitable: Any) -> Any:
        """Await something of nats-py; its errors become UnavailableError."""
        try:
            answer = await awaitable
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(AWAY) from error
        stay_cancelled()
        return answer

    async def flush(self) -> None:
        """Wait until the server has handled what we sent. Raises UnavailableError."""
        await self._flushes.flush()
        stay_cancelled()

    async def pause(self) -> None:
        """Wait a moment before trying again."""
        await self.clock.sleep(0.25)

    async def close(self) -> None:
        """Drain within ten seconds, then close."""
        self.closing = True
        for reader in self.readers:
            reader.nudge()
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self.client.drain()
        except (nats.errors.Error, TimeoutError, OSError):
            log.info("bus.closed_without_drain")
        if not self.client.is_closed:
            await self._close_client()
        self._flushes.close()

    async def _close_client(self) -> None:
        try:
            await self.client.close()
        except (nats.errors.Error, OSError) as error:
            # nats-py tries to send what is left even where the connection is gone.
            log.debug("bus.closed_hard", reason=type(error).__name__)
        await self._end_reconnecting()

    async def _end_reconnecting(self) -> None:
        """End a reconnect that is under way.

        nats-py cancels it once, and asyncio.wait_for before Python 3.12 loses a cancellation that
        meets a refused connection: it would knock for ever and keep the process from ending.
        """
        knocking: asyncio.Task[None] | None = getattr(self.client, "_reconnection_task", None)
        for _ in range(_CANCELS):
            if knocking is None or knocking.done() or knocking is asyncio.current_task():
                return
            knocking.cancel()
            await asyncio.wait({knocking}, timeout=0.1)

    async def _on_error(self, error: Exception) -> None:
        self.errors += 1
        text = str(error) or type(error).__name__
        if "permissions violation" in text.lower():
            self.refusals.note(text, self.clock.monotonic())
            log.error("bus.permission_refused", reason=text.removeprefix("nats: "))
        elif isinstance(error, nats.errors.SlowConsumerError):
            log.warning("bus.messages_dropped", subject=error.subject)
        elif "authorization" in text.lower() or "authentication" in text.lower():
            self._notice(_REFUSED)
        elif self._trouble != _REFUSED:
            # A refusal also cuts the connection; that it was cut explains nothing.
            self._notice(f"{AWAY} ({type(error).__name__})")
        if self._connecting:
            # nats-py would go on for ever; before the first success our caller decides when.
            raise error
        if self._trouble == _REFUSED and self._end is None and not self.closing:
            # Once admitted and now refused: only a process that reads its seed anew is healed.
            self._end = asyncio.create_task(self._close_client())

    def _notice(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("bus.trouble", reason=trouble)
        self._trouble = trouble

    async def _on_disconnected(self) -> None:
        # Now and not after the reconnect: what is refused again is told before that is announced.
        self.refusals.connected_anew()
        self._flushes.disconnected()
        if not self.closing and self._trouble is None:
            self._notice(f"{AWAY} (connection lost)")

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
        self._trouble = None
        log.info("bus.reconnected", reconnects=self.reconnects)
        for reader in self.readers:
            reader.nudge()

    async def _on_closed(self) -> None:
        if not self.closing:
            log.critical("bus.closed_for_good", reason=self.last_error)
            self._on_lost()


def read_seed(path: Path | None) -> str | None:
    """Read an nkey seed; raises SettingsError when it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"NATS_SEED_FILE cannot be read: {type(error).__name__}") from error
