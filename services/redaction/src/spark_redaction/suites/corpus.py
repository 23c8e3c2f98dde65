"""``python -m spark_redaction.suites.corpus``: recall and precision over a generated corpus."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark_redaction.scrub import Detector, Dictionary, Entity, Kind
from spark_redaction.suites.disguises import SAID, WRITTEN
from spark_redaction.suites.offline import no_network

_HERE: Final = Path(__file__).parent
_MARKED: Final = re.compile("⟦(.*?)⟧")
_VALUES: Final = {
    "EMAIL": ("alice.smith@example.ch", "bob_jones77@mail.corp.internal", "zoe@example.fr"),
    "PHONE": ("+1 415-555-0132", "(212) 555-0187", "+44 20 7946 0958", "+49 30 901820"),
    "CARD": ("4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005"),
    "IBAN": ("DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"),
    "SSN": ("123-45-6789", "078-05-1120"),
    "PERSON": ("Alice Smith", "Zora Quill", "Jürgen Müller"),
}
_FRAMES: Final = ("Please write to {} or so.", "Yesterday we said {}, and then left.")
_HIDDEN: Final = 0.7
"""Share of a value's letters and digits that has to be gone, so that nobody reads it."""
RECALL: Final = 0.97
PRECISION: Final = 0.97


@dataclass(frozen=True)
class Sample:
    """A text and where in it something personal stands."""

    of: str
    text: str
    secrets: tuple[tuple[int, int], ...] = ()


@dataclass
class Score:
    """Counted over a corpus."""

    wanted: Counter[str]
    missed: Counter[str]
    hidden: int = 0
    needless: int = 0

    def recall(self, of: str | None = None) -> float:
        """Share of the secrets that are hidden, of one group or of all."""
        groups = [of] if of else list(self.wanted)
        wanted = sum(self.wanted[each] for each in groups)
        return 1 - sum(self.missed[each] for each in groups) / max(1, wanted)

    @property
    def precision(self) -> float:
        """Share of what is hidden that stands in a secret."""
        return 1 - self.needless / max(1, self.hidden)


def samples() -> Iterator[Sample]:
    """Yield the corpus: values in disguise, forms of the world, and ordinary text."""
    for kind, values in _VALUES.items():
        ways = WRITTEN | (SAID if kind in ("PHONE", "CARD", "SSN") else {})
        for name, way in ways.items():
            for number, value in enumerate(values):
                written = way(value)
                if name == "plain" or written != value:
                    before, after = _FRAMES[number % 2].split("{}")
                    place = (len(before), len(before) + len(written))
                    yield Sample(name, before + written + after, (place,))
    for line in (_HERE / "world.txt").read_text("utf-8").splitlines():
        _, marked = line.split("\t")
        yield Sample("forms of the world", *_places(marked))
    for line in (_HERE / "ordinary.txt").read_text("utf-8").splitlines():
        yield Sample("ordinary", line.replace("\\n", "\n"))


def score() -> Score:
    """Look at every sample."""
    known = Dictionary(Entity(Kind.PERSON, name) for name in _VALUES["PERSON"])
    detector = Detector((known,))
    found = Score(Counter(), Counter())
    for sample in samples():
        spans = [(span.start, span.end) for span in detector.spans(sample.text)]
        for start, end in sample.secrets:
            found.wanted[sample.of] += 1
            if _gone(sample.text, start, end, spans) < _HIDDEN:
                found.missed[sample.of] += 1
        for start, end in spans:
            found.hidden += 1
            found.needless += not any(
                start < stop and begin < end for begin, stop in sample.secrets
            )
    return found


def _places(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    places = [
        (match.start() - 2 * number, match.end() - 2 * number - 2)
        for number, match in enumerate(_MARKED.finditer(marked))
    ]
    return _MARKED.sub(r"\1", marked), tuple(places)


def _gone(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> float:
    letters = [at for at in range(start, end) if text[at].isalnum()]
    gone = sum(any(begin <= at < stop for begin, stop in spans) for at in letters)
    return gone / max(1, len(letters))


def main() -> int:
    """Print the table; 1 when recall or precision is too low."""
    with no_network():
        found = score()
    for group in found.wanted:
        sys.stdout.write(f"{group:24} {found.recall(group):7.1%} of {found.wanted[group]}\n")
    sys.stdout.write(f"corpus: recall {found.recall():.1%}, precision {found.precision:.1%}\n")
    return 0 if found.recall() >= RECALL and found.precision >= PRECISION else 1


if __name__ == "__main__":
    sys.exit(main())
