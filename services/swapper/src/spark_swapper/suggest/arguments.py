"""Collects flags with their reasons, each flag once. Pure."""

from spark_common.contracts.models import Certainty, Suggested
from spark_swapper.launching.flags import merge_flags


class Arguments:
    """A list of flags; the first who names one decides, later ones are not heard."""

    def __init__(self) -> None:
        self._found: dict[str, Suggested[str]] = {}

    def add(
        self, argument: str, source: str, certainty: Certainty, note: str | None = None
    ) -> None:
        """Add ``--flag`` or ``--flag=value`` unless the flag is there already."""
        (flag,) = merge_flags([argument])
        suggested = Suggested[str](value=argument, source=source, certainty=certainty, note=note)
        self._found.setdefault(flag.key, suggested)

    def suggested(self) -> list[Suggested[str]]:
        """Return all of them in the order they came."""
        return list(self._found.values())

    def texts(self) -> tuple[str, ...]:
        """Return them as arguments."""
        return tuple(one.value for one in self._found.values())
