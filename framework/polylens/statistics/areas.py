"""How well scores tell members of groups from others: areas under curves, item by item."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64


def placements(
    scores: Float64[np.ndarray, "items"],
    is_member: Bool[np.ndarray, "items"],
    group: Int64[np.ndarray, "items"],
) -> Float64[np.ndarray, "items"]:
    """Of each item the share of its group's items of the other kind that it is on the right side of.

    A member is right above others, an item that is none below members; equal scores count half. The mean of
    a group's members is the area under its curve (receiver operating characteristic), and so is the mean of
    the others. Half for items of groups that lack one of the two kinds.

    Args:
        scores: higher should mean a member.
        is_member: which items are members of their group.
        group: of each item.

    Source: DeLong, DeLong and Clarke-Pearson (1988), the structural components of the area.

    >>> placements(np.array([3.0, 1.0, 2.0, 1.0]), np.array([1, 1, 0, 0], bool), np.zeros(4, np.int64))
    array([1.  , 0.25, 0.5 , 0.75])
    """
    placed = np.full(len(scores), 0.5)
    order = np.argsort(group, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        members, others = own[is_member[own]], own[~is_member[own]]
        if not len(members) or not len(others):
            continue
        apart = scores[members][:, None] - scores[others][None]
        above = (apart > 0) + 0.5 * (apart == 0)
        placed[members], placed[others] = above.mean(1), above.mean(0)
    return placed


def guessed_area(level: float, *, members: int, others: int) -> float:
    """The area under the curve that scores without meaning stay at or below with this probability.

    Args:
        level: probability, from 0 to 1.
        members: items that are members, 1 or more.
        others: items that are none, 1 or more.

    Source: Mann and Whitney (1947), the exact distribution of U without ties; ties make it narrower.

    >>> guessed_area(0.5, members=1, others=1), round(guessed_area(0.95, members=12, others=12), 3)
    (0.0, 0.701)
    """
    # Chances of U = 0, 1, ...: each member in turn is above 0 to `others` of the rest, by the recurrence of
    # the Gaussian binomial, a factor (1 - q^(others + i)) / (1 - q^i) for member i.
    chances = np.zeros(members * others + 1)
    chances[0] = 1.0
    for number in range(1, members + 1):
        step = others + number
        chances[step:] -= chances[:-step].copy() if step <= members * others else 0.0
        for start in range(number):
            chances[start::number] = np.cumsum(chances[start::number])
        chances /= chances.sum()
    reached = int(np.searchsorted(np.cumsum(chances), level * (1 - 1e-12)))
    return min(reached, members * others) / (members * others)
