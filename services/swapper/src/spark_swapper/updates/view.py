"""The answer to ``GET /api/updates``, from what was seen."""

import re
from collections.abc import Sequence

from spark_common.contracts.updates import (
    CheckoutState,
    ImageState,
    PendingCommit,
    Updates,
    UpdateView,
)
from spark_swapper.updates.kept import kept_images, way_back
from spark_swapper.updates.reply import Commit, ImageFound, moment
from spark_swapper.updates.sight import Sight

BODY_BYTES = 300_000
"""For the bodies of all commits of one answer; a message on the bus has one megabyte."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def updates_view(
    sights: Sequence[Sight],
    *,
    default_image: str,
    blockers: Sequence[str],
    job: UpdateView | None,
) -> Updates:
    """Return what is installed, what is pending and what one can go back to."""
    seen = [sight.fetched_at for sight in sights if sight.fetched_at is not None]
    busy = job is not None and not job.over
    return Updates(
        checkouts=[checkout_state(sight, BODY_BYTES // len(sights)) for sight in sights],
        images=[
            image_state(sight, image, default_image)
            for sight in sights
            for image in (sight.found.images if sight.found is not None else ())
        ],
        kept=[kept.view() for kept in kept_images(sights)],
        can_apply=not blockers and not busy,
        can_revert=bool(way_back(sights)) and not busy,
        blockers=list(blockers),
        job=job,
        checked_at=max(seen, default=None),
    )


def checkout_state(sight: Sight, room: int = BODY_BYTES) -> CheckoutState:
    """Return the checkout of one Spark; ``room`` is for the bodies of its commits, in bytes."""
    found = sight.checkout
    programs = sight.found.programs if sight.found is not None else None
    return CheckoutState(
        host=sight.host,
        label=sight.label,
        directory=sight.directory,
        present=sight.found is None or sight.has_checkout,
        branch=found.branch if found else None,
        commit=found.commit if found else None,
        commit_at=moment(found.commit_at) if found else None,
        ahead=found.ahead if found else None,
        behind=found.behind if found else None,
        dirty=list(found.dirty) if found else [],
        commits=_fitting(found.commits, room) if found else [],
        fetched_at=sight.fetched_at,
        launcher=programs.launcher if programs is not None else "unknown",
        problem=sight.problem(),
        stale=not sight.fresh,
    )


def _fitting(commits: Sequence[Commit], room: int) -> list[PendingCommit]:
    """Return the commits, the oldest ones without their body when there is no room for it."""
    told: list[PendingCommit] = []
    for commit in commits:
        room -= len(commit.body.encode())
        told.append(pending(commit if room >= 0 else commit.model_copy(update={"body": ""})))
    return told


def pending(commit: Commit) -> PendingCommit:
    """Return a pending commit."""
    return PendingCommit(
        sha=commit.sha,
        subject=plain(commit.subject),
        body=plain(commit.body),
        at=moment(commit.at),
        files=commit.files,
    )


def plain(text: str) -> str:
    """Return a stranger's text without colours and control characters."""
    return _CONTROL.sub("", text).strip()


def image_state(sight: Sight, image: ImageFound, default_image: str) -> ImageState:
    """Return one image on one Spark."""
    built = sight.found.built_version if sight.found and image.tag == default_image else None
    return ImageState(
        host=sight.host,
        tag=image.tag,
        id=image.id,
        created_at=image.created,
        size_bytes=image.size,
        vllm_version=image.version or (built if image.id else None),
    )


def image_states(
    sights: Sequence[Sight], hosts: Sequence[str], tags: Sequence[str], default_image: str
) -> list[ImageState]:
    """Return these tags on these hosts."""
    return [
        image_state(sight, image, default_image)
        for sight in sights
        if sight.host in hosts and sight.found is not None
        for image in sight.found.images
        if image.tag in tags
    ]
