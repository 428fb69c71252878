"""Polygons that belong together, made one.

1. Polygons of one name are a group; every edge is listed in the sense in which its polygon goes round.
2. An edge inside the group is listed both ways; what is listed one way only is its outer edge.
3. Following outer edges from vertex to vertex goes once round the group. If that uses all of them, the group
   is one polygon without holes; otherwise its polygons stay as they are.

Cost: O(corners).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def join_polygons(
    polygons: Sequence[Sequence[int]], names: Sequence[Hashable]
) -> tuple[list[list[int]], list[int]]:
    """Polygons of one name as one polygon each; those that do not make one together stay as they are.

    Args:
        polygons: cycles of vertices, all in the same sense of rotation, neighbours sharing whole edges.
        names: what each belongs to.

    Returns:
        The polygons, and for each of the given ones the one that it is a part of.

    >>> join_polygons([[0, 1, 2], [0, 2, 3]], ["a", "a"])
    ([[0, 1, 2, 3]], [0, 0])
    >>> join_polygons([[0, 1, 2], [0, 2, 3]], ["a", "b"])
    ([[0, 1, 2], [0, 2, 3]], [0, 1])
    """
    groups: dict[Hashable, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name, []).append(index)
    united: list[list[int]] = []
    part_of = [0] * len(polygons)
    for indices in groups.values():
        union = _union([polygons[index] for index in indices])
        for number, index in enumerate(indices):
            part_of[index] = len(united) + (number if len(union) > 1 else 0)
        united += union
    return united, part_of


def _union(members: list[Sequence[int]]) -> list[list[int]]:
    if len(members) == 1:
        return [list(members[0])]
    edges = {
        edge for member in members for edge in zip(member, [*member[1:], member[0]], strict=True)
    }  # An edge inside is passed both ways.
    outer = {start: end for start, end in edges if (end, start) not in edges}
    first = next(iter(outer))
    cycle = [first]
    while (following := outer[cycle[-1]]) != first and len(cycle) <= len(outer):
        cycle.append(following)
    n_outer = sum((end, start) not in edges for start, end in edges)
    return [cycle] if len(cycle) == n_outer else [list(member) for member in members]
