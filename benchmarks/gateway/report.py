"""Turns rounds into figures: medians of what was measured side by side, with their spread."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

Rounds = Mapping[str, Sequence["Round"]]


@dataclass(frozen=True)
class Round:
    """One contender in one round. Times in seconds."""

    per_second: float
    cpu_per_request: float
    p50: float
    p99: float
    stream_cpu_per_1000_chunks: float
    stream_first_byte_p50: float
    failures: int


@dataclass(frozen=True)
class Figure:
    """Median and range over the rounds."""

    median: float
    low: float
    high: float

    def show(self, scale: float = 1.0, digits: int = 0) -> str:
        values = (value * scale for value in (self.median, self.low, self.high))
        median, low, high = (f"{value:,.{digits}f}" for value in values)
        return f"{median} [{low}..{high}]"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def figure(values: Sequence[float]) -> Figure:
    """Summarise one number per round."""
    return Figure(statistics.median(values), min(values), max(values))


def paired(
    rounds: Rounds, one: str, other: str, measure: Callable[[Round, Round], float]
) -> Figure | None:
    """Compare two contenders round by round: what drifts, drifts for both."""
    if one not in rounds or other not in rounds:
        return None
    pairs = zip(rounds[one], rounds[other], strict=True)
    return figure([measure(left, right) for left, right in pairs])


def summarise(rounds: Rounds) -> dict[str, dict[str, Figure | None]]:
    """All figures per contender."""
    return {
        name: {
            "requests_per_second": figure([r.per_second for r in own]),
            "cpu_per_request_seconds": figure([r.cpu_per_request for r in own]),
            "added_p50_seconds": paired(rounds, name, "direct", lambda a, b: a.p50 - b.p50),
            "added_p99_seconds": paired(rounds, name, "direct", lambda a, b: a.p99 - b.p99),
            "throughput_ratio_to_nginx": paired(
                rounds, name, "nginx", lambda a, b: a.per_second / b.per_second
            ),
            "throughput_ratio_to_naive": paired(
                rounds, name, "naive", lambda a, b: a.per_second / b.per_second
            ),
            "throughput_ratio_to_litellm": paired(
                rounds, name, "litellm", lambda a, b: a.per_second / b.per_second
            ),
            "throughput_ratio_to_off": paired(
                rounds, name, "off", lambda a, b: a.per_second / b.per_second
            ),
            "cpu_ratio_to_off": paired(
                rounds, name, "off", lambda a, b: a.cpu_per_request / b.cpu_per_request
            ),
            "cpu_ratio_to_nginx": paired(
                rounds, name, "nginx", lambda a, b: a.cpu_per_request / b.cpu_per_request
            ),
            "stream_cpu_per_1000_chunks_seconds": figure(
                [r.stream_cpu_per_1000_chunks for r in own]
            ),
            "stream_cpu_ratio_to_nginx": paired(
                rounds,
                name,
                "nginx",
                lambda a, b: a.stream_cpu_per_1000_chunks / b.stream_cpu_per_1000_chunks,
            ),
            "stream_added_first_byte_p50_seconds": paired(
                rounds,
                name,
                "direct",
                lambda a, b: a.stream_first_byte_p50 - b.stream_first_byte_p50,
            ),
        }
        for name, own in rounds.items()
    }


def as_json(rounds: Rounds, missing: Sequence[str], settings: Mapping[str, float]) -> object:
    """Everything, for machines."""
    return {
        "settings": dict(settings),
        "missing": list(missing),
        "summary": {
            name: {key: asdict(value) if value else None for key, value in figures.items()}
            for name, figures in summarise(rounds).items()
        },
        "rounds": {name: [asdict(each) for each in own] for name, own in rounds.items()},
    }


_COLUMNS: tuple[tuple[str, str, float, int], ...] = (
    ("requests/s", "requests_per_second", 1, 0),
    ("x nginx", "throughput_ratio_to_nginx", 1, 2),
    ("x naive", "throughput_ratio_to_naive", 1, 1),
    ("x LiteLLM", "throughput_ratio_to_litellm", 1, 0),
    ("x off", "throughput_ratio_to_off", 1, 2),
    ("CPU us/request", "cpu_per_request_seconds", 1e6, 0),
    ("CPU x nginx", "cpu_ratio_to_nginx", 1, 2),
    ("CPU x off", "cpu_ratio_to_off", 1, 2),
    ("added p50 us", "added_p50_seconds", 1e6, 0),
    ("added p99 us", "added_p99_seconds", 1e6, 0),
    ("CPU ms/1000 chunks", "stream_cpu_per_1000_chunks_seconds", 1e3, 1),
    ("chunks CPU x nginx", "stream_cpu_ratio_to_nginx", 1, 2),
    ("added first byte us", "stream_added_first_byte_p50_seconds", 1e6, 0),
)


def as_table(rounds: Rounds) -> str:
    """Everything, for people: median [lowest..highest] over the rounds."""
    summary = summarise(rounds)
    rows = [["", *summary]]
    for title, key, scale, digits in _COLUMNS:
        cells = (figures[key] for figures in summary.values())
        rows.append([title, *(cell.show(scale, digits) if cell else "-" for cell in cells)])
    rows.append(["failures", *(str(sum(r.failures for r in own)) for own in rounds.values())])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as lines with columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
