"""What an update would renew, and why it may not: decided from what was seen, without any I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spark_common.contracts.swaps import Cause
from spark_common.settings import RuntimeSettings
from spark_swapper.updates import causes
from spark_swapper.updates.sight import Sight

IMAGE_BYTES = 26_000_000_000
"""Room for one more image; they grow."""
_PREBUILT = {"vllm-node-b12x": "--exp-b12x"}
"""Images beside the usual one that the build script downloads ready-made."""


@dataclass(frozen=True)
class Builds:
    """The images that the build script of the checkout can renew."""

    runtime: Callable[[], RuntimeSettings]
    wanted: Callable[[], tuple[str, ...]]
    """Tags that recipes use."""

    @property
    def directory(self) -> str:
        """The checkout of the launcher."""
        return self.runtime().vllm_dir

    @property
    def default_image(self) -> str:
        """The image of recipes that name none."""
        return self.runtime().vllm_image

    def flag(self, tag: str) -> str:
        """Return the script's option for an image, ``-`` for none."""
        return _PREBUILT.get(tag, "-")

    def of(self, sights: Sequence[Sight]) -> list[tuple[str, str]]:
        """Return (tag, flag) of every image to renew: the usual one, and what is used and there."""
        head = sights[0].found
        others = [
            tag
            for tag in self.wanted()
            if tag in _PREBUILT
            and tag != self.default_image
            and head is not None
            and head.image(tag) is not None
        ]
        return [(tag, self.flag(tag)) for tag in (self.default_image, *others)]

    def refusals(self, sights: Sequence[Sight]) -> list[str]:
        """Say why these Sparks cannot be updated, one sentence each; empty when they can."""
        said: list[str] = []
        for number, sight in enumerate(sights):
            if number == 0 or sight.away is not None or sight.has_checkout:
                said += sight.refusals()
        head = sights[0] if sights else None
        if head is not None and head.checkout is not None and head.found is not None:
            if not head.found.programs.builder:
                said.append(f"{head.label} has no build-and-copy.sh in {head.directory}.")
            said += [
                f"Docker on {head.label} does not answer: {image.problem}."
                for image in head.found.images[:1]
                if image.problem is not None
            ]
        return said


def room_problem(sights: Sequence[Sight], *, copies: bool) -> Cause | None:
    """Say where an image would not fit; what could not be measured is no reason to refuse."""
    for number, sight in enumerate(sights):
        if sight.found is None:
            continue
        places = [("docker's folder", sight.found.docker_free_bytes)]
        if copies and number == 0:
            places.append(("/tmp", sight.found.tmp_free_bytes))  # noqa: S108 - the script's
        for place, free in places:
            if free is not None and free < IMAGE_BYTES:
                return causes.no_room(sight.label, place, free)
    return None
