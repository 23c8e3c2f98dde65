"""``python -m spark_redaction.suites.scrub_leak``: nothing personal is left, all comes back."""

import sys
from collections.abc import Iterator, Sequence

from spark_redaction.scrub import Book, Detector, Dictionary, LeakError, Rehydrator, Scrubber
from spark_redaction.scrub.documents.putting_back import rehydrated_text
from spark_redaction.scrub.recogniser import Recogniser
from spark_redaction.scrub.registry import RECOGNISERS
from spark_redaction.suites.cases import Case, golden
from spark_redaction.suites.offline import no_network

DICTIONARY = "dictionary"
"""Removed like a recogniser, by taking the known names away."""


def failures(case: Case, recognisers: Sequence[Recogniser], *, names: bool = True) -> Iterator[str]:
    """Say what is wrong with one case; nothing when all is well."""
    known = case.known if names else Dictionary(())
    book = Book()
    detector = Detector((known,), case.profile, case.kept, recognisers)
    try:
        scrubbed = str(Scrubber(detector, book).text(case.text, "auto").value)
    except LeakError as error:
        yield f"{case.id} {case.of}: refused: {error}"
        return
    for secret in case.secrets:
        if secret in scrubbed:
            yield f"{case.id} {case.of}: {secret!r} is left in {scrubbed!r}"
    for kept in case.keeps:
        if kept not in scrubbed:
            yield f"{case.id} {case.of}: {kept!r} was hidden: {scrubbed!r}"
    back, _ = rehydrated_text(scrubbed, Rehydrator(book), "auto")
    if back != case.text:
        yield f"{case.id} {case.of}: came back as {back!r}"


def leaks(without: str | None = None) -> list[str]:
    """Return every failure; ``without`` leaves one recogniser out."""
    left = [each for each in RECOGNISERS if each.name != without]
    names = without != DICTIONARY
    return [text for case in golden() for text in failures(case, left, names=names)]


def needless() -> list[str]:
    """Return the recognisers whose removal no case would notice."""
    unnoticed = []
    for name in [*(recogniser.name for recogniser in RECOGNISERS), DICTIONARY]:
        left = [each for each in RECOGNISERS if each.name != name]
        cases = [case for case in golden() if case.needs == name]
        if not any(any(failures(case, left, names=name != DICTIONARY)) for case in cases):
            unnoticed.append(f"nothing fails without the recogniser {name}")
    return unnoticed


def main(arguments: Sequence[str]) -> int:
    """Run the gate; ``--without NAME`` shows that it would notice."""
    without = arguments[1] if len(arguments) == 2 and arguments[0] == "--without" else None
    with no_network():
        found = leaks(without)
        if without is None:
            found += needless()
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"scrub_leak: {len(golden())} cases, {len(found)} failures\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
