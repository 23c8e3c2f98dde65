"""Average linkage over weighted voices, in which some may never be one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.speakers.voices import Vector


def linked(
    voices: Sequence[Vector],
    weights: Sequence[float],
    apart: NDArray[np.bool_],
    threshold: float,
    most: int | None = None,
) -> list[list[int]]:
    """Return the voices in groups, by mean cosine distance weighted by ``weights``.

    ``apart`` is a symmetric matrix of those that cannot be in one group. The closest two groups
    become one as long as they are no farther than ``threshold``, and beyond it while there are
    more than ``most``. Of equally close ones the first in the given order are taken.
    """
    count = len(voices)
    groups = [[index] for index in range(count)]
    if count < 2:
        return groups
    matrix = np.array(voices)
    distances = 1.0 - matrix @ matrix.T
    # Rounded, so that the order in which a product is summed up decides nothing.
    distances = np.round(distances, 12)
    distances[apart | np.eye(count, dtype=np.bool_)] = np.inf
    mass = np.array(weights, dtype=np.float64)
    left = count
    while left > 1:
        first, second = divmod(int(np.argmin(distances)), count)
        closest = distances[first, second]
        if not np.isfinite(closest) or (closest > threshold and (most is None or left <= most)):
            break
        merged = mass[first] * distances[first] + mass[second] * distances[second]
        mass[first] += mass[second]
        distances[first] = np.round(merged / mass[first], 12)
        distances[first, first] = np.inf
        distances[:, first] = distances[first]
        distances[second] = distances[:, second] = np.inf
        groups[first] += groups[second]
        groups[second] = []
        left -= 1
    return [sorted(group) for group in groups if group]
