"""Reading and writing streams over one connection."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import nats.errors

from spark_common.bus import wire
from spark_common.bus.nats_link import ApiError, NatsLink, SubjectRefusedError
from spark_common.bus.port import Duplicate, PublishResult, Refused, Stored, StoredMessage, Unknown
from spark_common.bus.streams import StreamSpec, stream_of
from spark_common.errors import UnavailableError

NO_MESSAGE = 10037
NO_STREAM = 10059
STORE_FAILED = 10077
WRONG_LAST_SEQUENCE = (10071, 10164)

_PUBLISH_BUDGET_SECONDS = 5.0
_PUBLISH_TIMEOUT_SECONDS = 1.0


class NatsStreams:
    """The streams as one identity sees them."""

    def __init__(self, link: NatsLink, specs: Iterable[StreamSpec]) -> None:
        self._link = link
        self._specs = tuple(specs)

    async def bounds(self, stream: str) -> tuple[str, int, int]:
        """Return epoch, first and last sequence; raises UnavailableError."""
        try:
            answer = await self._link.api(f"STREAM.INFO.{stream}")
        except ApiError as error:
            if error.err_code == NO_STREAM:
                raise UnavailableError(f"stream {stream} does not exist yet") from error
            raise
        state = answer["state"]
        return epoch_of(answer), int(state["first_seq"]), int(state["last_seq"])

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """Return the newest message on a subject, or None; raises UnavailableError."""
        return await self._get(stream, {"last_by_subj": subject})

    async def message_at(self, stream: str, seq: int) -> StoredMessage | None:
        """Return the message with this number, or None; raises UnavailableError."""
        return await self._get(stream, {"seq": seq})

    async def _get(self, stream: str, which: dict[str, Any]) -> StoredMessage | None:
        epoch, _, _ = await self.bounds(stream)
        try:
            answer = await self._link.api(f"STREAM.MSG.GET.{stream}", which)
        except ApiError as error:
            if error.err_code == NO_MESSAGE:
                return None
            raise
        found = answer["message"]
        payload = base64.b64decode(found.get("data", ""))
        return StoredMessage(
            stream=stream,
            epoch=epoch,
            seq=int(found["seq"]),
            subject=found["subject"],
            payload=payload,
            envelope=wire.unseal(payload),
            headers=_read_headers(base64.b64decode(found.get("hdrs", ""))),
            stored_at=datetime.fromisoformat(found["time"]),
        )

    async def publish(
        self, subject: str, payload: bytes, id: str, first_on: str | None
    ) -> PublishResult:
        """Store, repeating with the same id for five seconds while nobody knows."""
        spec = stream_of(subject, self._specs)
        if spec is None:
            return Refused(f"no stream keeps {subject}")
        headers = {wire.MESSAGE_ID: id, "Nats-Expected-Stream": spec.name}
        if first_on is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = "0"
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = first_on
        clock = self._link.clock
        deadline = clock.monotonic() + _PUBLISH_BUDGET_SECONDS
        while True:
            result = await self._publish_once(spec, subject, payload, headers)
            if not isinstance(result, Unknown):
                return result
            if clock.monotonic() + 0.1 >= deadline:
                return result
            await clock.sleep(0.1)

    async def _publish_once(
        self, spec: StreamSpec, subject: str, payload: bytes, headers: dict[str, str]
    ) -> PublishResult:
        link = self._link
        try:
            reply = await link.request(subject, payload, _PUBLISH_TIMEOUT_SECONDS, headers)
        except nats.errors.NoRespondersError:
            return Unknown(f"stream {spec.name} does not answer")
        except nats.errors.MaxPayloadError:
            return Refused(f"{len(payload)} bytes are more than the server takes")
        except SubjectRefusedError as error:
            return Refused(error.message)
        except UnavailableError as error:
            return Unknown(error.message)
        ack = json.loads(reply.data)
        if fault := ack.get("error"):
            return await self._explain(spec, subject, headers, fault)
        seq = int(ack["seq"])
        return Duplicate(seq) if ack.get("duplicate") else Stored(seq)

    async def _explain(
        self, spec: StreamSpec, subject: str, headers: dict[str, str], fault: dict[str, Any]
    ) -> PublishResult:
        err_code = int(fault.get("err_code", 0))
        reason = str(fault.get("description", "refused"))
        if int(fault.get("code", 0)) == 503 and err_code != STORE_FAILED:
            return Unknown(reason)
        if err_code != STORE_FAILED and err_code not in WRONG_LAST_SEQUENCE:
            return Refused(reason)
        # "Store failed" is also what a full stream says, so only the message itself is a proof.
        try:
            standing = await self.last_message(spec.name, subject)
        except UnavailableError as error:
            return Unknown(error.message)
        if standing is None:
            return Refused(reason)
        if (
            spec.one_per_subject
            or standing.headers.get(wire.MESSAGE_ID) == headers[wire.MESSAGE_ID]
        ):
            return Duplicate(standing.seq)
        return Refused(reason)


def epoch_of(stream_state: dict[str, Any]) -> str:
    """Return when the stream was created, as digits only: it travels in SSE ids."""
    return "".join(filter(str.isdigit, str(stream_state["created"])))


def _read_headers(raw: bytes) -> dict[str, str]:
    headers = {}
    for line in raw.split(b"\r\n")[1:]:
        name, found, value = line.partition(b":")
        if found:
            headers[name.decode("ascii", "replace").strip()] = value.decode().strip()
    return headers
