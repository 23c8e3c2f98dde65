"""Images that were in use before an update: how they are named, found and told."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from spark_common.contracts.updates import KeptImage
from spark_swapper.updates.sight import Sight

KEEP = 2
"""Generations that stay; an image takes up to 25 GB of disk."""
_TAG = re.compile(
    r"(?P<repository>.+):before-(?P<at>\d{8}T\d{6}Z)-(?P<commit>[0-9a-f]{40}|unknown)\Z"
)
_AT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Kept:
    """One kept image on one host. ``at`` is the generation: all of one update share it."""

    host: str
    tag: str
    kept_as: str
    at: str
    id: str
    commit: str | None

    def view(self) -> KeptImage:
        """Return it as everybody sees it."""
        return KeptImage(
            host=self.host,
            tag=self.tag,
            kept_as=self.kept_as,
            id=self.id,
            commit=self.commit,
            kept_at=datetime.strptime(self.at, _AT).replace(tzinfo=UTC),
        )


def kept_tag(tag: str, at: datetime, commit: str | None) -> str:
    """Return the tag under which an image is kept: when, and with which commit."""
    return f"{_repository(tag)}:before-{at.astimezone(UTC).strftime(_AT)}-{commit or 'unknown'}"


def kept_at(tag: str) -> datetime | None:
    """Return when the update began for which an image is kept under this tag."""
    named = _TAG.match(tag)
    return _moment(named["at"]) if named else None


def kept_images(sights: Iterable[Sight]) -> list[Kept]:
    """Return every kept image, newest generation first, hosts in order."""
    found: list[Kept] = []
    for sight in sights:
        if sight.found is None:
            continue
        # Kept tags do not say which tag of their repository they stand for: the first known one.
        tags = {_repository(image.tag): image.tag for image in reversed(sight.found.images)}
        for image in sight.found.kept:
            named = _TAG.match(image.tag)
            if named is None or image.id is None or _moment(named["at"]) is None:
                continue
            commit = named["commit"] if named["commit"] != "unknown" else None
            tag = tags.get(named["repository"], named["repository"])
            found.append(Kept(sight.host, tag, image.tag, named["at"], image.id, commit))
    return sorted(found, key=lambda kept: kept.at, reverse=True)


def way_back(sights: Sequence[Sight]) -> list[Kept]:
    """Return the newest generation that differs from what is in use; empty when none does."""
    current = {
        (sight.host, image.tag): image.id
        for sight in sights
        for image in (sight.found.images if sight.found is not None else ())
    }
    commits = {sight.host: sight.checkout.commit for sight in sights if sight.checkout is not None}
    kept = kept_images(sights)
    for at in dict.fromkeys(one.at for one in kept):
        generation = [one for one in kept if one.at == at]
        if any(current.get((one.host, one.tag)) != one.id for one in generation):
            return generation
        if any(commits.get(one.host) not in (None, one.commit) for one in generation if one.commit):
            return generation
    return []


def outdated(kept: Sequence[Kept], host: str) -> list[str]:
    """Return the tags on a host that are older than the generations that stay."""
    stays = list(dict.fromkeys(one.at for one in kept))[:KEEP]
    return [one.kept_as for one in kept if one.host == host and one.at not in stays]


def _repository(tag: str) -> str:
    return tag.rpartition(":")[0] if ":" in tag.rpartition("/")[2] else tag


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _AT).replace(tzinfo=UTC)
    except ValueError:
        return None
