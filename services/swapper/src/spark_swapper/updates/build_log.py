"""What the lines of an update mean: its steps, a percentage, and nothing that is not there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from spark_common.contracts.updates import UpdateStep
from spark_common.remote.output_lines import OutputLines

_LAYER = re.compile(
    r"([0-9a-f]{12}): (Pulling fs layer|Already exists|Pull complete|Download complete|Waiting"
    r"|Verifying Checksum|Extracting|Downloading)"
)
_DONE_LAYERS = frozenset({"Already exists", "Pull complete"})

_SIGNS: tuple[tuple[re.Pattern[str], UpdateStep, str], ...] = (
    (re.compile(r"spark-control: moving the checkout"), "pulling", "Getting the new commits."),
    (re.compile(r"\S+: Pulling from (\S+)"), "pulling", "Downloading the image {0}."),
    (re.compile(r"Status: Image is up to date"), "pulling", "The image is the newest there is."),
    (re.compile(r"Rebuilding vLLM wheels|vLLM build command:"), "building", "Building vLLM."),
    (re.compile(r"Building runner image with command:"), "building", "Building the image."),
    (re.compile(r"Checking image '([^']+)' on "), "copying", "Comparing {0} on the other Sparks."),
    (re.compile(r"Saving image locally"), "saving", "Packing the image for the other Sparks."),
    (re.compile(r"Loading image into "), "copying", "Copying the image to another Spark."),
    (re.compile(r"Copy to \S+ completed in (\S+)"), "copying", "Copied the image in {0}."),
    (re.compile(r"Copy complete\."), "copying", "Every Spark has the image."),
)


@dataclass(frozen=True)
class Meaning:
    """A line that says where the update stands."""

    step: UpdateStep
    message: str


@dataclass
class BuildLog:
    """Reads the output of one update, cut anywhere."""

    marks: bool = True
    """Whether lines are read for the steps that they mark."""
    _lines: OutputLines = field(default_factory=OutputLines)
    _layers: dict[str, bool] = field(default_factory=dict)

    @property
    def lines_seen(self) -> list[str]:
        """The last lines, for the cause of a failure."""
        return self._lines.lines_seen

    @property
    def percent(self) -> float | None:
        """Share of the image's layers that are there, while one is being downloaded."""
        if not self._layers:
            return None
        return round(100 * sum(self._layers.values()) / len(self._layers), 1)

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[tuple[str, Meaning | None]]:
        """Take bytes, return the lines that became complete; ``last`` completes the rest too."""
        for line in self._lines.feed(piece, last=last):
            yield line, self._meaning(line)

    def _meaning(self, line: str) -> Meaning | None:
        if not self.marks:
            return None
        if layer := _LAYER.match(line):
            done = layer[2] in _DONE_LAYERS
            self._layers[layer[1]] = self._layers.get(layer[1], False) or done
            return None
        for sign, step, message in _SIGNS:
            if found := sign.search(line):
                self._layers.clear()
                return Meaning(step, message.format(*found.groups()))
        return None
