"""One row per goal: what was measured, with its spread, and whether that is enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.gateway.report import aligned, percentile

Judged = Literal["median", "p99", "most", "least"]
_SHARES: Final = {"median": 0.5, "p99": 0.99, "most": 1.0, "least": 0.0}


@dataclass(frozen=True)
class Row:
    """What was measured many times. ``judged``: by what of it, as the goal is worded.

    No bounds: it explains another row. ``least``: no less than that, else no more.
    """

    title: str
    unit: str
    values: Sequence[float]
    judged: Judged = "median"
    must: float | None = None
    aim: float | None = None

    @property
    def reached(self) -> float:
        """Return the value that the goal speaks of."""
        return percentile(self.values, _SHARES[self.judged])

    @property
    def verdict(self) -> str:
        """Say how far it got; nothing where there is no goal."""
        if self.must is None or self.aim is None:
            return ""
        if not self.values:
            return "not measured"
        if self._met(self.aim):
            return "aim reached"
        return "met" if self._met(self.must) else "NOT MET"

    def _met(self, bound: float) -> bool:
        return self.reached >= bound if self.judged == "least" else self.reached <= bound


def as_table(rows: Sequence[Row]) -> str:
    """Everything, for people: median, p99, lowest and highest, and the verdict."""
    lines = [["", "median", "p99", "range", "of", "judged by", "must", "aim", ""]]
    for row in rows:
        spread = [percentile(row.values, share) for share in (0.5, 0.99, 0.0, 1.0)]
        median, p99, low, high = (f"{value:,.{_digits(value)}f}" for value in spread)
        bounds = ["" if bound is None else f"{bound:g}" for bound in (row.must, row.aim)]
        judged = row.judged if row.must is not None else ""
        title = f"{row.title}, {row.unit}"
        range_ = f"{low} to {high}"
        lines.append(
            [title, median, p99, range_, str(len(row.values)), judged, *bounds, row.verdict]
        )
    return aligned(lines)


def _digits(value: float) -> int:
    return 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
