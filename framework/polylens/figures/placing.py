"""Where labels go so that they do not lie on each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places as near as possible to the wanted ones, in their order, at least `gap` apart, from low to high.

    Where there is no room for all, they are spaced evenly.

    >>> spread([1.0, 1.0, 5.0], gap=1.0, low=0.0, high=6.0)
    [0.5, 1.5, 5.0]
    """
    if not wanted:
        return []
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    # A block is a run of labels in touch; it stands at the mean of where its labels want to be.
    blocks: list[tuple[float, int]] = []
    for index in order:
        total, size = wanted[index], 1
        while blocks:
            before, count = blocks[-1]
            room = _middle(total, size, gap, low, high) - _middle(before, count, gap, low, high)
            if room >= (count + size) * gap / 2 - 1e-9:
                break
            blocks.pop()
            total, size = total + before, size + count
        blocks.append((total, size))
    places = [
        _middle(total, size, gap, low, high) + (number - (size - 1) / 2) * gap
        for total, size in blocks
        for number in range(size)
    ]
    result = [0.0] * len(wanted)
    for index, place in zip(order, places, strict=True):
        result[index] = float(place)
    return result


def _middle(total: float, size: int, gap: float, low: float, high: float) -> float:
    half = (size - 1) * gap / 2
    return min(max(total / size, low + half), high - half)


def free(box: tuple[float, float, float, float], taken: Iterable[tuple[float, float, float, float]]) -> bool:
    """Whether a box (left, bottom, right, top) touches none of the taken ones.

    >>> box = (0.0, 0.0, 1.0, 1.0)
    >>> free(box, [(2.0, 0.0, 3.0, 1.0)]), free(box, [(0.5, 0.5, 3.0, 1.0)])
    (True, False)
    """
    return all(
        box[0] >= other[2] or box[2] <= other[0] or box[1] >= other[3] or box[3] <= other[1]
        for other in taken
    )


def centres(
    points: Float[np.ndarray, "rows 2"], *, groups: Int[np.ndarray, "rows"], number: int, tries: int = 5
) -> Float[np.ndarray, "tries 2"]:
    """Members of a group where its label may stand: the one nearest to the group's median first."""
    members = points[groups == number]
    distance = np.square(members - np.median(members, axis=0)).sum(axis=1)
    order = np.argsort(distance, kind="stable")
    chosen: Float[np.ndarray, "tries 2"] = members[
        order[np.unique(np.linspace(0, len(order) - 1, tries).astype(int) // 2)]
    ]
    return chosen


def top(
    counts: Int[np.ndarray, "groups"] | Float[np.ndarray, "groups"], *, most: int
) -> Int[np.ndarray, "chosen"]:
    """Indices of the largest groups, at most `most`, in rising order of index; equal ones by index.

    >>> top(np.array([5, 1, 9, 5]), most=2).tolist()
    [0, 2]
    """
    return np.sort(np.argsort(-counts, kind="stable")[:most])
