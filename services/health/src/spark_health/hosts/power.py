"""Wakes a Spark through another one or directly; turns one off where a rule allows just that."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

import structlog

from spark_common.clock import Clock
from spark_common.contracts.hardware import TurnedOff, TurnOff, WakeAddress, WakeAttempt, WakeHost
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    RemoteCommandError,
    SparkError,
    UnavailableError,
)
from spark_common.events import ServiceAction
from spark_common.ids import new_id
from spark_common.remote.command import RemoteCommand
from spark_common.remote.port import RemoteShell
from spark_health.hosts.looking import HardwareWatch
from spark_health.hosts.magic import EVERYBODY, wake_command
from spark_health.hosts.ports import Broadcast
from spark_health.hosts.remembering import Remembered, Sent
from spark_health.hosts.showing import attempt_of
from spark_health.hosts.sight import Sight

_SECONDS = 8.0
_UP = frozenset({"well", "slow", "partly"})
_log = structlog.get_logger()

PowerAction: TypeAlias = Literal["wake", "shutdown", "reboot"]
Tell: TypeAlias = Callable[[str, ServiceAction], Awaitable[None]]


async def _untold(_: str, __: ServiceAction) -> None:
    """Tell nobody."""


class Power:
    """One method per verb."""

    def __init__(
        self,
        watch: HardwareWatch,
        shell: RemoteShell,
        broadcast: Broadcast,
        remembered: Remembered,
        clock: Clock,
        tell: Tell = _untold,
    ) -> None:
        """``tell`` has an event told, whoever is killed; raises UnavailableError."""
        self._tell = tell
        self._watch = watch
        self._shell = shell
        self._broadcast = broadcast
        self._remembered = remembered
        self._clock = clock

    async def wake(self, request: WakeHost) -> WakeAttempt:
        """Send the packet and return at once; what comes of it is with the Spark's hardware.

        Raises NotFoundError, ConflictError (awake, or its hardware address is unknown),
        UnavailableError when no packet could be sent.
        """
        sight = self._known(request.name)
        if sight.answering in _UP and sight.fresh(self._clock.monotonic()):
            raise ConflictError(f"{sight.host.label} is awake: it answers.")
        await self._remembered.recall()
        address = self._remembered.addresses.get(request.name)
        if address is None:
            raise ConflictError(
                f"The hardware address of {sight.host.label} is not known: it is remembered as "
                "soon as it answered once. Press its button this time."
            )
        sent_at = self._clock.now()
        via = await self._send(request.name, address)
        sent = Sent(via=via, sent_at=sent_at, requested_by=request.requested_by)
        await self._remembered.woke(request.name, sent)
        _log.info("hosts.wake_sent", host=request.name, via=via, by=request.requested_by)
        through = f"through {via}" if via != "direct" else "from here"
        sentence = f"A magic packet for {sight.host.label} was sent {through}; that is best effort."
        await self._told_of(request.name, "wake", request.requested_by, sentence)
        attempt = attempt_of(self._watch.sights[request.name], sent, self._clock.now())
        if attempt is None:
            raise AssertionError("an attempt that was sent is one")
        return attempt

    async def turn_off(self, request: TurnOff) -> TurnedOff:
        """Run what the rule allows.

        Raises NotFoundError, InvalidRequestError without the right ``confirm``, ConflictError
        where it does not answer or has no rule for it, RemoteCommandError when it refused.
        """
        sight = self._known(request.name)
        label = sight.host.label
        if request.confirm != request.name:
            raise InvalidRequestError(f"confirm must be {request.name!r}: that is what goes off")
        if sight.answering not in _UP or not sight.fresh(self._clock.monotonic()):
            raise ConflictError(f"{label} does not answer; it cannot be told to.")
        rules = sight.rest.rules
        allowed = None
        if rules is not None:
            allowed = rules.shutdown if request.action == "shutdown" else rules.reboot
        if allowed is None:
            raise ConflictError(
                f"{label} has no sudo rule for this. docs/RUNBOOK.md says how to allow exactly it, "
                "under 'Turn a Spark off from here'."
            )
        _log.info("hosts.turned_off", host=request.name, action=request.action,
                  by=request.requested_by)  # fmt: skip
        try:
            await self._run(request.name, label, allowed)
        except SparkError as error:
            message = error.message
            await self._told_of(
                request.name, request.action, request.requested_by, message, ok=False
            )
            raise
        sentence = _told(label, request.action)
        await self._told_of(request.name, request.action, request.requested_by, sentence)
        return TurnedOff(name=request.name, action=request.action, sentence=sentence)

    async def _told_of(
        self, name: str, action: PowerAction, by: str, message: str, *, ok: bool = True
    ) -> None:
        event = ServiceAction(
            service=name, host=name, action=action, requested_by=by, ok=ok, message=message,
            at=self._clock.now(),
        )  # fmt: skip
        try:
            await self._tell(f"power:{new_id()}", event)
        except UnavailableError as error:
            # It is done, and the log has it.
            _log.warning("hosts.power_untold", host=name, reason=error.message)

    async def _run(self, host: str, label: str, allowed: tuple[str, ...]) -> None:
        command = RemoteCommand(("sudo", "-n", *allowed))
        try:
            result = await self._shell.run(host, command, timeout_seconds=_SECONDS)
        except DeadlineExceededError:
            # It goes down before it answers.
            return
        if result.exit_code not in {0, None}:
            words = " ".join(result.stderr.split())[:200]
            raise RemoteCommandError(f"{label} refused: {words or result.exit_code}", host=host)

    async def _send(self, name: str, address: WakeAddress) -> str:
        to = (address.broadcast, EVERYBODY) if address.broadcast else (EVERYBODY,)
        for other in self._others(name):
            try:
                result = await self._shell.run(
                    other, wake_command(address.mac, to), timeout_seconds=_SECONDS
                )
            except SparkError as error:
                _log.warning("hosts.wake_not_through", via=other, reason=error.message)
                continue
            if result.ok:
                return other
        if await self._broadcast.send(address.mac, to):
            return "direct"
        raise UnavailableError(
            "No packet could be sent: no other Spark answers, and this machine has no network to "
            "send one to. Press its button."
        )

    def _others(self, name: str) -> list[str]:
        """Return the Sparks that may send it: those that answer, well ones first."""
        sights: Mapping[str, Sight] = self._watch.sights
        found = [
            other for other, sight in sights.items() if other != name and sight.answering in _UP
        ]
        return sorted(found, key=lambda other: sights[other].answering != "well")

    def _known(self, name: str) -> Sight:
        try:
            return self._watch.sights[name]
        except KeyError:
            raise NotFoundError(f"no Spark is named {name!r}") from None


def _told(label: str, action: Literal["shutdown", "reboot"]) -> str:
    if action == "shutdown":
        return f"{label} shuts down. It may need its button to come back."
    return f"{label} starts anew; that takes some minutes, and no model is loaded afterwards."
