"""What an update does, from its first look to its one end, written to be begun again anywhere."""

from collections.abc import Sequence
from functools import partial

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import RemoteCommandError
from spark_common.jobs import Ending, JobJournal
from spark_swapper.updates import causes
from spark_swapper.updates.effects import Effects, update_command
from spark_swapper.updates.following import (
    FOLLOW_STEP,
    LONGEST_SECONDS,
    UPDATE_STEP,
    Followed,
    Following,
)
from spark_swapper.updates.kept import kept_images, kept_tag, outdated
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.plan import Builds, room_problem
from spark_swapper.updates.record import Place, UpdateRecord
from spark_swapper.updates.restoring import InTheWay, Restoring
from spark_swapper.updates.sight import Sight, commits
from spark_swapper.updates.verifying import Verified, verify
from spark_swapper.updates.view import image_states
from spark_swapper.updates.waiting import Waiting

Journal = JobJournal[UpdateRecord]
_FOLLOW_SECONDS = 300.0


class UpdateWork:
    """The work of both directions."""

    def __init__(
        self,
        look: SoftwareLook,
        builds: Builds,
        effects: Effects,
        following: Following,
        restoring: Restoring,
        waiting: Waiting,
        in_the_way: InTheWay,
    ) -> None:
        self._look = look
        self._builds = builds
        self._effects = effects
        self._following = following
        self._restoring = restoring
        self._waiting = waiting
        self._in_the_way = in_the_way

    async def __call__(self, journal: Journal) -> Ending:
        """Carry a job from where its record stands to its end."""
        if journal.record.direction == "revert":
            return await self._restoring.revert(journal)
        if journal.record.undoing is None:
            fault = await self._forward(journal)
            if not isinstance(fault, Cause):
                return fault
            if not journal.record.prepared:
                return Ending.because(fault, "Nothing was changed.")
            await journal.enter("reverting", "Going back to what was in use.", undoing=fault)
        undone = await self._restoring.undo(journal)
        return Ending.because(journal.record.undoing or causes.refused([]), undone)

    async def _forward(self, journal: Journal) -> Ending | Cause:
        """Update; a cause means that it did not work and has to be undone."""
        try:
            if not journal.record.prepared and (fault := await self._prepare(journal)):
                return fault
            if journal.cancelled_by is not None:
                return causes.cancelled(journal.cancelled_by)
            if problem := await self._keep(journal):
                return causes.refused([problem])
            followed = await self._update(journal)
            if fault := self._fault(journal, followed):
                return fault
            notes = await self._others(journal)
            return await self._verified(journal, followed, notes)
        except RemoteCommandError as error:
            return causes.refused([f"{error.message}."])

    async def _prepare(self, journal: Journal) -> Cause | None:
        """Look at everything once more, with the remotes' news, and save what will be done."""
        record = journal.record
        await journal.note("Asking for the new commits and looking at every Spark.")
        sights = await self._look.look(record.hosts, refresh=True)
        head = sights[0].checkout
        if head is not None and head.fetched is False:
            return causes.no_network(sights[0].problem() or "")
        builds = self._builds.of(sights)
        if refusals := self._builds.refusals(sights):
            return causes.refused(refusals)
        if other := await self._in_the_way():
            return other
        if short := room_problem(sights, copies=len(sights) > 1):
            return short
        tags = tuple(tag for tag, _ in builds)
        behind = head.behind if head is not None else None
        images = image_states(sights, record.hosts, tags, self._builds.default_image)
        await journal.enter(
            "pulling",
            f"Getting {commits(behind or 0)}." if behind else "Looking for newer images.",
            prepared=True,
            tags=tags,
            places=tuple(self._place(record, sight, tags) for sight in sights),
            commit_before=head.commit if head is not None else None,
            images_before=tuple(images),
        )
        return None

    def _place(self, record: UpdateRecord, sight: Sight, tags: Sequence[str]) -> Place:
        commit = sight.checkout.commit if sight.checkout is not None else None
        names = tuple(
            (tag, kept_tag(tag, record.created_at, commit))
            for tag in tags
            if sight.found is not None and sight.found.image(tag) is not None
        )
        return Place(host=sight.host, commit=commit, images=names)

    async def _keep(self, journal: Journal) -> str | None:
        for place in journal.record.places:
            label = self._label(place.host)
            keep = partial(self._effects.keep, place)
            if problem := await self._waiting.until_answered(journal, label, keep):
                return f"The image on {label} could not be kept: {problem}."
        return None

    async def _update(self, journal: Journal) -> Followed:
        record = journal.record
        builds = [(tag, self._builds.flag(tag)) for tag in record.tags]
        command = update_command(self._builds.directory, builds, copy=len(record.hosts) > 1)
        head = record.hosts[0]
        return await self._following.follow(journal, head, self._label(head), UPDATE_STEP, command)

    def _fault(self, journal: Journal, followed: Followed) -> Cause | None:
        label = self._label(journal.record.hosts[0])
        match followed.how:
            case "cancelled":
                return causes.cancelled(journal.cancelled_by or "someone")
            case "too_long":
                return causes.too_long(label, LONGEST_SECONDS / 3600, followed.lines)
            case "lost":
                return causes.lost(label, followed.lines)
            case "ended" if followed.exit_code != 0:
                return causes.of_ending(label, followed.exit_code, followed.lines)
            case "ended":
                return None

    async def _others(self, journal: Journal) -> list[str]:
        """Move the checkouts of the other Sparks; returns what did not work, which is no fault."""
        notes: list[str] = []
        command = update_command(self._builds.directory, (), copy=False)
        for place in journal.record.places[1:]:
            if place.commit is None or journal.cancelled_by is not None:
                continue
            label = self._label(place.host)
            followed = await self._following.follow(
                journal,
                place.host,
                label,
                FOLLOW_STEP,
                command,
                longest_seconds=_FOLLOW_SECONDS,
                marks=False,
            )
            if followed.exit_code != 0:
                notes.append(f"The checkout on {label} did not follow; update it by hand.")
        return notes

    async def _verified(
        self, journal: Journal, followed: Followed, notes: Sequence[str]
    ) -> Ending | Cause:
        if journal.cancelled_by is not None:
            return causes.cancelled(journal.cancelled_by)
        await journal.enter("verifying", "Comparing commits and images on every Spark.")
        record = journal.record
        sights = await self._waiting.until_seen(journal, record.hosts)
        verified = verify(record, sights, self._builds.default_image)
        if not isinstance(verified, Verified):
            return causes.not_verified(verified, followed.lines)
        if verified.changed:
            dropped = await self._drop_old(sights)
        else:
            dropped = []
            await self._restoring.forget(record)
        message = " ".join((verified.sentence, *notes, *dropped))
        facts = {"commit_after": verified.commit, "images_after": verified.images}
        await journal.enter("done", message, percent=100.0, **facts)
        return Ending(JobState.COMPLETE, message)

    async def _drop_old(self, sights: Sequence[Sight]) -> list[str]:
        kept = kept_images(sights)
        notes: list[str] = []
        for sight in sights:
            old = outdated(kept, sight.host)
            if not old:
                continue
            problem = await self._effects.let_go(sight.host, old)
            said = f"could not be removed: {problem}." if problem else "were removed."
            notes.append(f"Older kept images on {sight.label} {said}")
        return notes

    def _label(self, host: str) -> str:
        return next((sight.label for sight in self._look.sights if sight.host == host), host)
