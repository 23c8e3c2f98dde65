"""Decides whether an update or a way back may begin now."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.contracts.jobs import StepMark
from spark_common.contracts.updates import ApplyUpdates, RevertUpdates
from spark_common.errors import (
    ConflictError,
    HostUnreachableError,
    JobInProgressError,
    NotFoundError,
    SparkError,
    SwapInProgressError,
)
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_common.leasing import held_error
from spark_swapper.records.store import LeaseGate
from spark_swapper.updates.kept import Kept, way_back
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.plan import Builds
from spark_swapper.updates.record import EXCLUSIVE, Place, UpdateRecord
from spark_swapper.updates.sight import Sight
from spark_swapper.updates.view import image_states

Busy = Callable[[], Awaitable[str | None]]
"""Returns the id of work that must not be disturbed, or None."""


_WAY_OUT = "Wait, or ask for it back with POST /api/swap/lock/yield"


@dataclass(frozen=True)
class OtherWork:
    """What may not run at the same time. Both raise UnavailableError when nobody can tell."""

    swap: Busy
    download: Busy


class Requesting:
    """The one way in."""

    def __init__(
        self,
        runner: JobRunner[UpdateRecord],
        look: SoftwareLook,
        builds: Builds,
        gate: LeaseGate,
        other: OtherWork,
        clock: Clock,
    ) -> None:
        self._runner = runner
        self._look = look
        self._builds = builds
        self._gate = gate
        self._other = other
        self._clock = clock

    async def apply(self, request: ApplyUpdates) -> UpdateRecord:
        """Accept an update, or return the one that the same request made before.

        Raises ConflictError when the Sparks do not allow it, HostUnreachableError,
        SwapInProgressError, JobInProgressError, LeaseHeldError, UnavailableError.
        """
        body = _digest("update", *request.hosts)
        if known := await self._runner.repeated(request.id, body):
            return known
        await self._refuse(request.lock_token)
        sights = await self._look.look(self._targets(request.hosts))
        _reachable(sights)
        if refusals := self._builds.refusals(sights):
            raise ConflictError(" ".join(refusals), reasons=list(refusals))
        record = self._record(request.id, request.requested_by, body, "update", sights)
        return await self._accept(record)

    async def revert(self, request: RevertUpdates) -> UpdateRecord:
        """Accept a way back; raises as ``apply`` does."""
        body = _digest("revert")
        if known := await self._runner.repeated(request.id, body):
            return known
        await self._refuse(request.lock_token)
        sights = await self._look.look()
        back = way_back(sights)
        if not back:
            raise ConflictError("there is no kept image to go back to")
        hosts = {kept.host for kept in back}
        touched = [sight for sight in sights if sight.host in hosts]
        _reachable(touched)
        places = tuple(_place(sight, back) for sight in touched)
        for sight, place in zip(touched, places, strict=True):
            if place.commit and sight.checkout and sight.checkout.dirty:
                raise ConflictError(" ".join(sight.refusals()))
        tags = tuple(dict.fromkeys(kept.tag for kept in back))
        record = self._record(request.id, request.requested_by, body, "revert", touched)
        images = image_states(sights, record.hosts, tags, self._builds.default_image)
        head = touched[0].checkout
        return await self._accept(
            record.model_copy(
                update={
                    "prepared": True,
                    "places": places,
                    "tags": tags,
                    "commit_before": head.commit if head is not None else None,
                    "images_before": tuple(images),
                }
            )
        )

    async def blockers(self, sights: Sequence[Sight]) -> list[str]:
        """Say why nothing could be applied now, one plain sentence each."""
        said = self._builds.refusals([sight for sight in sights if sight.found or sight.away])
        try:
            if await self._other.swap():
                said.append("A swap is running or waiting.")
            if await self._other.download():
                said.append("A download is running.")
        except SparkError as error:
            said.append(f"It cannot be seen what else is going on: {error.message}.")
        return said

    async def _refuse(self, token: SecretStr | None) -> None:
        if swap := await self._other.swap():
            raise SwapInProgressError(
                "a swap is not over yet; wait for it or cancel it, then update", swap_id=swap
            )
        if download := await self._other.download():
            raise JobInProgressError(
                "a download is running; wait for it or cancel it, then update", job_id=download
            )
        gate = await self._gate.for_caller(token.get_secret_value() if token else None)
        if not gate.admitted:
            raise held_error(gate, _WAY_OUT)

    async def _accept(self, record: UpdateRecord) -> UpdateRecord:
        try:
            return await self._runner.request(record)
        except JobInProgressError as busy:
            raise JobInProgressError(
                "the cluster software is being changed already; wait for that or cancel it",
                **busy.details,
            ) from busy

    def _targets(self, hosts: Sequence[str]) -> list[str]:
        known = [sight.host for sight in self._look.sights]
        if unknown := [host for host in hosts if host not in known]:
            raise NotFoundError(f"there is no Spark {unknown[0]!r}", host=unknown[0])
        return [host for host in known if not hosts or host in hosts]

    def _record(
        self, id: str | None, by: str, body: str, direction: str, sights: Sequence[Sight]
    ) -> UpdateRecord:
        now = self._clock.now()
        return UpdateRecord(
            id=id or new_id(),
            requested_by=by,
            exclusive=EXCLUSIVE,
            body_sha256=body,
            direction=direction,
            hosts=tuple(sight.host for sight in sights),
            step="checking",
            steps=(StepMark(step="checking", at=now),),
            message="Checking every Spark.",
            created_at=now,
        )


def _place(sight: Sight, back: Sequence[Kept]) -> Place:
    here = [kept for kept in back if kept.host == sight.host]
    commit = next((kept.commit for kept in here if kept.commit is not None), None)
    return Place(
        host=sight.host,
        commit=commit if sight.checkout is not None else None,
        images=tuple((kept.tag, kept.kept_as) for kept in here),
    )


def _reachable(sights: Sequence[Sight]) -> None:
    for sight in sights:
        if sight.away is not None:
            raise HostUnreachableError(sight.away, host=sight.host)


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
