"""Whether an update really did what its programs say: exit codes prove nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spark_common.contracts.updates import ImageState
from spark_swapper.updates.record import UpdateRecord
from spark_swapper.updates.sight import Sight
from spark_swapper.updates.view import image_states

NOTHING_NEW = "Everything was the newest already."


@dataclass(frozen=True)
class Verified:
    """What is installed now, in one sentence and as facts."""

    sentence: str
    commit: str | None
    images: tuple[ImageState, ...]
    changed: bool


def verify(
    record: UpdateRecord, sights: Sequence[Sight], default_image: str
) -> Verified | list[str]:
    """Compare what is there with what should be; returns why it is not so."""
    wrong = [sight.away for sight in sights if sight.away is not None]
    head = sights[0].checkout
    if head is None or head.behind:
        wrong.append(f"The checkout on {sights[0].label} did not move to the newest commit.")
    images = image_states(sights, record.hosts, record.tags, default_image)
    labels = {sight.host: sight.label for sight in sights}
    for image in images:
        if image.id is None:
            wrong.append(f"{labels[image.host]} does not have the image {image.tag}.")
    wrong += mismatches(images, labels)
    if wrong:
        return wrong
    commit = head.commit if head is not None else None
    sentence = _sentence(record, images, commit)
    return Verified(sentence or NOTHING_NEW, commit, tuple(images), sentence is not None)


def mismatches(images: Sequence[ImageState], labels: Mapping[str, str]) -> list[str]:
    """Say which Sparks have different versions of an image, one sentence per image."""
    said = []
    for tag in dict.fromkeys(image.tag for image in images):
        here = {image.host: image.id for image in images if image.tag == tag and image.id}
        if len(set(here.values())) > 1:
            names = " and ".join(labels[host] for host in here)
            said.append(f"{names} have different versions of the image {tag}.")
    return said


def _sentence(record: UpdateRecord, images: Sequence[ImageState], commit: str | None) -> str | None:
    before = {(image.host, image.tag): image.id for image in record.images_before}
    new = [tag for tag in record.tags if any(
        image.tag == tag and before.get((image.host, tag)) != image.id for image in images
    )]  # fmt: skip
    moved = commit != record.commit_before
    if not new and not moved:
        return None
    parts = [f"the commit is now {commit[:9]}"] if moved and commit is not None else []
    parts += [f"the image {tag} is new" for tag in new]
    said = " and ".join(parts)
    after = " A model that is loaded goes on as it is until the next switch." if new else ""
    return f"Updated: {said}.{after}"
