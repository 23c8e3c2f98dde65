"""The goals of the data plane, and whether this run met them. Ratios, since machines differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.gateway.report import Figure, Rounds, aligned, summarise


@dataclass(frozen=True)
class Goal:
    """What must be reached, and what is aimed at. ``most``: no more than that, else no less."""

    title: str
    contender: str
    figure: str
    must: float
    aim: float
    most: bool = False

    def verdict(self, reached: float) -> str:
        """Say how far a median got."""
        if self._met(reached, self.aim):
            return "aim reached"
        return "met" if self._met(reached, self.must) else "NOT MET"

    def _met(self, reached: float, bound: float) -> bool:
        return reached <= bound if self.most else reached >= bound


_OWN: Final = "gateway"
_ALL: Final = "all on"

GOALS: Final = (
    Goal("throughput x nginx", _OWN, "throughput_ratio_to_nginx", 0.20, 0.40),
    Goal("throughput x naive", _OWN, "throughput_ratio_to_naive", 15, 15),
    Goal("throughput x LiteLLM", _OWN, "throughput_ratio_to_litellm", 100, 100),
    Goal("CPU per request x nginx", _OWN, "cpu_ratio_to_nginx", 7, 3, most=True),
    Goal("CPU per 1,000 chunks x nginx", _OWN, "stream_cpu_ratio_to_nginx", 3, 1.5, most=True),
    Goal("added first byte x nginx", _OWN, "first_byte_ratio_to_nginx", 3, 1.5, most=True),
    Goal("throughput, all on x off", _ALL, "throughput_ratio_to_off", 0.8, 0.9),
    # The same by processor time, which whatever else the machine does changes less.
    Goal("CPU per request, all on x off", _ALL, "cpu_ratio_to_off", 1.25, 1.11, most=True),
    Goal("throughput, all on x nginx", _ALL, "throughput_ratio_to_nginx", 0.20, 0.40),
)


def as_verdicts(rounds: Rounds) -> str:
    """One line per goal: what was reached, what must be, what is aimed at."""
    summary = summarise(rounds)
    summary = {name: {**own, **_first_byte(summary, own)} for name, own in summary.items()}
    rows = [["goal", "reached", "must", "aim", ""]]
    for goal in GOALS:
        reached = summary.get(goal.contender, {}).get(goal.figure)
        shown = "-" if reached is None else reached.show(digits=2)
        verdict = "not measured" if reached is None else goal.verdict(reached.median)
        rows.append([goal.title, shown, f"{goal.must:g}", f"{goal.aim:g}", verdict])
    return aligned(rows)


def _first_byte(
    summary: Mapping[str, Mapping[str, Figure | None]], own: Mapping[str, Figure | None]
) -> dict[str, Figure | None]:
    """What is added to the first byte, by nginx's: of medians, as single rounds are near zero."""
    key = "stream_added_first_byte_p50_seconds"
    added, least = own[key], summary.get("nginx", {}).get(key)
    if added is None or least is None or least.median <= 0:
        return {"first_byte_ratio_to_nginx": None}
    ratio = added.median / least.median
    return {"first_byte_ratio_to_nginx": Figure(ratio, ratio, ratio)}
