"""Counters of vLLM that only move while it works."""

import re
from dataclasses import dataclass

_ROW = re.compile(
    rb"^vllm:(generation_tokens_total|prompt_tokens_total|request_success_total)"
    rb"(?:\{[^}]*\})? ([0-9.eE+]+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Counters:
    """Sums over every engine."""

    values: tuple[tuple[str, float], ...]

    def moved_since(self, before: "Counters") -> bool:
        """Say whether work was done in between; a counter that starts anew did none."""
        old = dict(before.values)
        return any(value > old.get(name, 0.0) for name, value in self.values)


def read_counters(metrics: bytes) -> Counters:
    """Read the answer of ``/metrics``; what is no number is passed over."""
    sums: dict[str, float] = {}
    for name, text in _ROW.findall(metrics):
        try:
            sums[name.decode()] = sums.get(name.decode(), 0.0) + float(text)
        except ValueError:
            continue
    return Counters(tuple(sorted(sums.items())))
