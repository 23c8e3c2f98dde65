"""The best way to pair two sides, one to one: the Hungarian method."""

from collections.abc import Sequence
from math import inf


def best_pairs(worth: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return pairs of row and column with the largest sum of ``worth``; pairs worth 0 are left out.

    No row and no column comes twice. Time grows with the cube of the longer side.
    """
    size = max(len(worth), max(map(len, worth), default=0))
    if not size:
        return []
    cost = [
        [-worth[row][column] if row < len(worth) and column < len(worth[row]) else 0.0
         for column in range(size)]
        for row in range(size)
    ]  # fmt: skip
    chosen = _cheapest_rows(cost)
    return sorted(
        (row, column)
        for column, row in enumerate(chosen)
        if row < len(worth) and column < len(worth[row]) and worth[row][column] > 0
    )


def _cheapest_rows(cost: Sequence[Sequence[float]]) -> list[int]:
    """Return for each column its row, with potentials and shortest augmenting paths."""
    size = len(cost)
    row_price = [0.0] * (size + 1)
    column_price = [0.0] * (size + 1)
    row_of = [size] * (size + 1)
    for row in range(size):
        row_of[size] = row
        column = size
        slack = [inf] * size
        came_from = [size] * size
        seen = [False] * (size + 1)
        while row_of[column] != size:
            seen[column] = True
            current = row_of[column]
            step, following = inf, size
            for other in range(size):
                if seen[other]:
                    continue
                reduced = cost[current][other] - row_price[current] - column_price[other]
                if reduced < slack[other]:
                    slack[other], came_from[other] = reduced, column
                if slack[other] < step:
                    step, following = slack[other], other
            for other in range(size + 1):
                if seen[other]:
                    row_price[row_of[other]] += step
                    column_price[other] -= step
                elif other < size:
                    slack[other] -= step
            column = following
        while column != size:
            previous = came_from[column]
            row_of[column] = row_of[previous]
            column = previous
    return row_of[:size]
