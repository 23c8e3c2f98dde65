"""The way back: kept images get their names again, the branch its commit."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.jobs import Ending, JobJournal
from spark_common.remote.detached import DetachedSteps
from spark_swapper.updates import causes
from spark_swapper.updates.effects import Effects
from spark_swapper.updates.following import FOLLOW_STEP, UPDATE_STEP
from spark_swapper.updates.kept import kept_at
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.record import UpdateRecord
from spark_swapper.updates.sight import Sight
from spark_swapper.updates.verifying import mismatches
from spark_swapper.updates.view import image_states
from spark_swapper.updates.waiting import Waiting

Journal = JobJournal[UpdateRecord]
InTheWay = Callable[[], Awaitable[Cause | None]]
"""Says why an update must not begin beside other work, or None. Raises UnavailableError."""


class Restoring:
    """Goes back to what was in use; may be begun again at any point."""

    def __init__(
        self,
        look: SoftwareLook,
        effects: Effects,
        steps: DetachedSteps,
        waiting: Waiting,
        default_image: Callable[[], str],
        in_the_way: InTheWay,
    ) -> None:
        self._look = look
        self._effects = effects
        self._steps = steps
        self._waiting = waiting
        self._default_image = default_image
        self._in_the_way = in_the_way

    async def undo(self, journal: Journal) -> str:
        """Undo a failed or cancelled update; returns how it stands now."""
        wrong = await self._stop(journal) or await self._back(journal)
        if wrong:
            return f"Not everything is as it was before: {' '.join(wrong)} Press 'Go back'."
        await self.forget(journal.record)
        return "Everything is as it was before."

    async def forget(self, record: UpdateRecord) -> None:
        """Drop the names of images that were kept for an update that changed nothing."""
        for place in record.places:
            await self._effects.let_go(place.host, [kept_as for _, kept_as in place.images])

    async def revert(self, journal: Journal) -> Ending:
        """Go back because somebody wants it."""
        if journal.record.step == "checking":
            cause = await self._in_the_way()
            if journal.cancelled_by is not None:
                cause = causes.cancelled(journal.cancelled_by)
            if cause is not None:
                return Ending.because(cause, "Nothing was changed.")
            await journal.enter("reverting", "Going back to the kept images and commit.")
        wrong = await self._back(journal)
        if wrong:
            return Ending.because(causes.not_back(wrong))
        message = " ".join((_back_at(journal.record), *self._mismatches(journal.record)))
        facts = {"commit_after": journal.record.places[0].commit}
        await journal.enter("done", message, percent=100.0, **facts)
        return Ending(JobState.COMPLETE, message)

    async def _stop(self, journal: Journal) -> list[str]:
        """End what may still run: it would go on with what is being undone."""
        record, wrong = journal.record, []
        for place in record.places:
            label = self._label(place.host)
            step = UPDATE_STEP if place.host == record.hosts[0] else FOLLOW_STEP
            stop = partial(self._stop_step, place.host, record.id, step)
            if problem := await self._waiting.until_answered(journal, label, stop):
                wrong.append(f"{label}: {problem}.")
        return wrong

    async def _stop_step(self, host: str, job: str, step: str) -> None:
        await self._steps.stop(host, job, step)

    async def _back(self, journal: Journal) -> list[str]:
        """Bring every Spark back and look; returns what is not as it should be."""
        record = journal.record
        wrong: list[str] = []
        for place in record.places:
            label = self._label(place.host)
            restore = partial(self._effects.restore, place)
            if problem := await self._waiting.until_answered(journal, label, restore):
                wrong.append(f"{label}: {problem}.")
        if wrong:
            return wrong
        await journal.note("Comparing commits and images on every Spark.")
        sights = await self._waiting.until_seen(journal, record.hosts)
        images = image_states(sights, record.hosts, record.tags, self._default_image())
        await journal.adopt(images_after=tuple(images))
        return differences(record, sights)

    def _mismatches(self, record: UpdateRecord) -> list[str]:
        """Say where Sparks differ now: a kept image may have been removed from one of them."""
        sights, hosts = self._look.sights, [sight.host for sight in self._look.sights]
        return mismatches(
            image_states(sights, hosts, record.tags, self._default_image()),
            {sight.host: sight.label for sight in sights},
        )

    def _label(self, host: str) -> str:
        return next((sight.label for sight in self._look.sights if sight.host == host), host)


def _back_at(record: UpdateRecord) -> str:
    kept = next((kept_as for place in record.places for _, kept_as in place.images), "")
    at = kept_at(kept)
    return f"Back at what was in use before the update of {at:%Y-%m-%d %H:%M} UTC." if at else ""


def differences(record: UpdateRecord, sights: Sequence[Sight]) -> list[str]:
    """Say where commit or images are not those of the places of a record."""
    wrong = [sight.away for sight in sights if sight.away is not None]
    places = {place.host: place for place in record.places}
    for sight in sights:
        place = places.get(sight.host)
        if place is None or sight.found is None or sight.away is not None:
            continue
        here = sight.checkout.commit if sight.checkout is not None else None
        if place.commit is not None and here != place.commit:
            wrong.append(f"The checkout on {sight.label} is not at its old commit.")
        kept = {image.tag: image.id for image in sight.found.kept}
        for tag, kept_as in place.images:
            image = sight.found.image(tag)
            if image is None or image.id != kept.get(kept_as):
                wrong.append(f"The image {tag} on {sight.label} is not the kept one.")
    return wrong
