"""Polygons that belong together, made one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def joined(polygons: Sequence[Sequence[int]], names: Sequence[Hashable]) -> tuple[list[list[int]], list[int]]:
    """Polygons of one name as one polygon each; those that do not make one together stay as they are.

    Args:
        polygons: cycles of vertices, all in the same sense of rotation, neighbours sharing whole edges.
        names: what each belongs to.

    Returns:
        The polygons, and for each of the given ones the one that it is a part of.

    >>> joined([[0, 1, 2], [0, 2, 3]], ["a", "a"])
    ([[0, 1, 2, 3]], [0, 0])
    >>> joined([[0, 1, 2], [0, 2, 3]], ["a", "b"])
    ([[0, 1, 2], [0, 2, 3]], [0, 1])
    """
    groups: dict[Hashable, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name, []).append(place)
    found: list[list[int]] = []
    of = [0] * len(polygons)
    for places in groups.values():
        union = _union([polygons[place] for place in places])
        for number, place in enumerate(places):
            of[place] = len(found) + (number if len(union) > 1 else 0)
        found += union
    return found, of


def _union(members: list[Sequence[int]]) -> list[list[int]]:
    if len(members) == 1:
        return [list(members[0])]
    edges = {
        edge for member in members for edge in zip(member, [*member[1:], member[0]], strict=True)
    }  # An edge inside is passed both ways.
    outer = {one: other for one, other in edges if (other, one) not in edges}
    start = next(iter(outer))
    cycle = [start]
    while (following := outer[cycle[-1]]) != start and len(cycle) <= len(outer):
        cycle.append(following)
    n_outer = sum((other, one) not in edges for one, other in edges)
    return [cycle] if len(cycle) == n_outer else [list(member) for member in members]
