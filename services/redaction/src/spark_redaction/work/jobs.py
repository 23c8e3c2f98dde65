"""The calls that run in a worker process. They take and return plain values."""

import json
import signal
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from spark_redaction.scrub import (
    Book,
    Detector,
    Dictionary,
    Entity,
    Entry,
    LeakError,
    Rehydrator,
    Report,
    Scrubbed,
    Scrubber,
    kind_of,
)
from spark_redaction.scrub.documents.composite import Composite
from spark_redaction.scrub.documents.putting_back import rehydrated_text, rehydrated_tree
from spark_redaction.scrub.documents.slots import text_slot
from spark_redaction.scrub.documents.tree import TooDeepError, placed
from spark_redaction.scrub.verify import survivors
from spark_redaction.work.located import Located
from spark_redaction.work.orders import (
    BudgetSpentError,
    LeftOverError,
    Names,
    RehydrateWork,
    ScrubDone,
    ScrubWork,
    SetKey,
    SetNeededError,
    UnfitError,
    WorkFailedError,
)

T = TypeVar("T")
_KEPT_SETS: Final = 8
_sets: OrderedDict[SetKey, Dictionary] = OrderedDict()


def scrub(work: ScrubWork) -> ScrubDone:
    """Scrub; raises one of the errors of orders."""
    return _guarded(work.budget_seconds, lambda: _scrub(work))


def prose(work: ScrubWork) -> str:
    """Return everything that would be scrubbed as one text, as the recognisers see it."""
    return _guarded(work.budget_seconds, lambda: _prose(work))


def rehydrate(work: RehydrateWork) -> tuple[Any, Report]:
    """Rehydrate; raises BudgetSpentError, UnfitError, WorkFailedError."""
    return _guarded(work.budget_seconds, lambda: _rehydrate(work))


def verify(text: str, entries: tuple[Entry, ...], budget_seconds: float) -> list[str]:
    """Return the types of the values that survive in a text."""
    return _guarded(budget_seconds, lambda: sorted(kind.value for kind in survivors(text, entries)))


def _scrub(work: ScrubWork) -> ScrubDone:
    dictionaries = [Dictionary(_entities(work.names))]
    if work.set_key is not None:
        dictionaries.append(_known_set(work.set_key, work.set_names))
    keep = Dictionary(Entity(kind_of("OTHER"), phrase) for phrase in work.keep)
    book = Book(work.entries, work.next_numbers)
    more = Located(work.unknown) if work.unknown else None
    detector = Detector(dictionaries, work.profile, keep, more=more)
    scrubber = Scrubber(detector, book, passthrough=work.passthrough)
    scrubbed = _scrubbed(scrubber, work)
    return ScrubDone(
        scrubbed.value,
        {kind.value: count for kind, count in scrubbed.counts.items()},
        dict(scrubbed.tokens),
        tuple(book.added),
        book.next_numbers,
    )


def _prose(work: ScrubWork) -> str:
    composite = Composite()
    if work.shape == "text":
        text_slot(composite, work.body, json={"text": False, "json": True}.get(work.format))
    else:
        placed(composite, work.body, messages=work.shape == "messages")
    return composite.text


def _scrubbed(scrubber: Scrubber, work: ScrubWork) -> Scrubbed:
    if work.shape == "text":
        if work.format == "json" and not _parses(work.body):
            raise UnfitError("text is not JSON")
        return scrubber.text(work.body, work.format)
    return scrubber.document(work.body, messages=work.shape == "messages")


def _rehydrate(work: RehydrateWork) -> tuple[Any, Report]:
    rehydrator = Rehydrator(Book(work.entries), work.tolerance, expand_in_urls=work.expand_in_urls)
    if work.shape == "text":
        try:
            return rehydrated_text(work.body, rehydrator, work.format)
        except ValueError:
            raise UnfitError("text is not a JSON object or array") from None
    report = Report()
    return rehydrated_tree(work.body, rehydrator, report), report


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _entities(names: Names) -> Iterator[Entity]:
    for kind, value, aliases, id_ in names:
        yield Entity(kind_of(kind), value, tuple(aliases), id_)


def _known_set(key: SetKey, names: Names | None) -> Dictionary:
    known = _sets.get(key)
    if known is None:
        if names is None:
            raise SetNeededError
        known = _sets[key] = Dictionary(_entities(names))
        while len(_sets) > _KEPT_SETS:
            _sets.popitem(last=False)
    _sets.move_to_end(key)
    return known


def _guarded(budget_seconds: float, call: Callable[[], T]) -> T:
    with _budget(budget_seconds):
        try:
            return call()
        except (BudgetSpentError, SetNeededError, UnfitError):
            raise
        except LeakError as error:
            raise LeftOverError(str(error)) from None
        except TooDeepError:
            raise UnfitError("nested too deep") from None
        except RecursionError:
            raise UnfitError("nested too deep") from None
        except Exception as error:
            # A message may quote the text.
            raise WorkFailedError(type(error).__name__) from None


@contextmanager
def _budget(seconds: float) -> Iterator[None]:
    def spent(_number: int, _frame: object) -> None:
        raise BudgetSpentError

    previous = signal.signal(signal.SIGALRM, spent)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
