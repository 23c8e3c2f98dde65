"""What the owner's commands do at a running server: read its configuration anew, and look.

The operator's identity sees the server and none of the product's messages; the provisioner's may
make and delete consumers. Both only live as long as one command.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nats.errors import NoRespondersError

from spark_common.bus.automations import AutomationError
from spark_common.bus.identities import Identities
from spark_common.bus.nats_link import ApiError, IdentityRefusedError, NatsLink, read_seed
from spark_common.bus.nats_streams import NO_STREAM
from spark_common.bus.permissions import OPERATOR, OWN_STREAM, own_consumer
from spark_common.bus.provision import NO_CONSUMER
from spark_common.clock import Clock
from spark_common.errors import UnavailableError

_SYSTEM_SECONDS = 5.0
_NANO = 1_000_000_000
_OWN_INACTIVE_SECONDS = 30 * 24 * 3600
_OWN_ACK_SECONDS = 30
_OWN_PENDING = 64


class NotRunningError(UnavailableError):
    """Nobody listens where the server should be."""


@dataclass(frozen=True)
class OwnConsumer:
    """What waits for one automation."""

    unread: int
    """Outcomes not delivered yet."""
    unsettled: int
    """Delivered and not acknowledged."""


@dataclass(frozen=True)
class Steward:
    """A running server, with the seeds that may change it."""

    url: str
    identities: Identities
    clock: Clock

    async def reload(self) -> None:
        """Let the server read its configuration anew; everybody it still knows stays connected.

        Raises AutomationError when the server refuses the configuration and keeps its old one,
        NotRunningError when there is none, UnavailableError when it does not answer.
        """
        async with self._as(OPERATOR) as link:
            answer = await self._ask_server(link, "RELOAD", {})
        if fault := answer.get("error"):
            raise AutomationError(
                f"NATS refused its configuration and keeps the old one: {fault['description']}"
            )

    async def connections(self) -> Counter[str]:
        """Return how many connections each public key has now. Raises UnavailableError."""
        async with self._as(OPERATOR) as link:
            answer = await self._ask_server(link, "CONNZ", {"auth": True, "limit": 1024})
        found: Counter[str] = Counter()
        for connection in answer["data"]["connections"]:
            found[connection.get("nkey") or connection.get("authorized_user") or ""] += 1
        return found

    async def make_own_consumer(self, name: str) -> bool:
        """Make an automation's durable consumer, from now on; False when it stands already.

        Raises NotRunningError, also while the stream does not exist yet, and UnavailableError.
        """
        async with self._as("provisioner") as link:
            if await _state(link, name) is not None:
                return False
            own = own_consumer(name)
            try:
                await link.api(f"CONSUMER.DURABLE.CREATE.{OWN_STREAM}.{own}", own_config(name))
            except ApiError as error:
                if error.err_code == NO_STREAM:
                    raise NotRunningError(f"stream {OWN_STREAM} does not exist yet") from error
                raise
            return True

    async def delete_own_consumer(self, name: str) -> bool:
        """Delete it; False when there is none. Raises UnavailableError."""
        async with self._as("provisioner") as link:
            try:
                await link.api(f"CONSUMER.DELETE.{OWN_STREAM}.{own_consumer(name)}")
            except ApiError as error:
                if error.err_code not in (NO_CONSUMER, NO_STREAM):
                    raise
                return False
            return True

    async def own_consumers(self, names: list[str]) -> dict[str, OwnConsumer | None]:
        """Return what waits for each; None where there is none. Raises UnavailableError."""
        async with self._as("provisioner") as link:
            return {name: await _state(link, name) for name in names}

    @asynccontextmanager
    async def _as(self, identity: str) -> AsyncIterator[NatsLink]:
        link = NatsLink(identity, self.clock, _stay)
        try:
            await link.connect(self.url, read_seed(self.identities.seed_file(identity)))
        except IdentityRefusedError:
            raise
        except UnavailableError as error:
            raise NotRunningError(error.message) from error
        try:
            yield link
        finally:
            await link.close()

    async def _ask_server(self, link: NatsLink, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        ping = await self._system(link, "$SYS.REQ.SERVER.PING", {})
        return await self._system(link, f"$SYS.REQ.SERVER.{ping['server']['id']}.{verb}", body)

    async def _system(self, link: NatsLink, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        payload = json.dumps(body).encode() if body else b""
        try:
            reply = await link.request(subject, payload, _SYSTEM_SECONDS, None)
        except NoRespondersError as error:
            raise UnavailableError("this NATS has no system account of spark-control") from error
        answer: dict[str, Any] = json.loads(reply.data)
        return answer


def own_config(name: str) -> dict[str, Any]:
    """Return the durable consumer of an automation in JetStream's own words."""
    return {
        "stream_name": OWN_STREAM,
        "config": {
            "durable_name": own_consumer(name),
            "deliver_policy": "new",
            "ack_policy": "explicit",
            "ack_wait": _OWN_ACK_SECONDS * _NANO,
            "max_deliver": -1,
            "max_ack_pending": _OWN_PENDING,
            "inactive_threshold": _OWN_INACTIVE_SECONDS * _NANO,
            "replay_policy": "instant",
        },
    }


async def _state(link: NatsLink, name: str) -> OwnConsumer | None:
    try:
        found = await link.api(f"CONSUMER.INFO.{OWN_STREAM}.{own_consumer(name)}")
    except ApiError as error:
        if error.err_code not in (NO_CONSUMER, NO_STREAM):
            raise
        return None
    return OwnConsumer(int(found["num_pending"]), int(found["num_ack_pending"]))


def _stay() -> None:
    """A connection of one command that is lost: the command says so by itself."""


def identities_in(directory: Path) -> Identities:
    """Return the identities of a folder that ``sparkctl`` made. Raises AutomationError."""
    if not (directory / f"{OPERATOR}.nk").exists():
        raise AutomationError(
            f"{directory} holds no identities of spark-control: start it once, or name its folder"
        )
    return Identities.load_or_create(directory)
