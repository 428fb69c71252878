"""The hierarchy of clusters as icicles."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from polylens.figures.icicles import ROOT, Icicles, Scale, fitting_scale, hang, middles_of, outline
from polylens.figures.placing import spread
from polylens.figures.style import MUTED, RULE, SMALL, WIDTH, bare, canvas, colour, picture, sentence
from polylens.figures.words import fit_line, inches
from polylens.records import NOISE
from polylens.wording import count_of, short

_TALL = 4.6
"""Inches of the icicles."""
_WIDE = WIDTH - 1.0
"""Inches from the left to the right end of the icicles."""
_REST = "#d8dee3"
_REST_EDGE = "#b7c0c8"


@picture
def condensed_tree(
    parent: Int[np.ndarray, "nodes"],
    *,
    birth: Float[np.ndarray, "nodes"],
    death: Float[np.ndarray, "nodes"],
    size: Int[np.ndarray, "nodes"],
    row_node: Int[np.ndarray, "rows"],
    row_lambda: Float[np.ndarray, "rows"],
    selected: Int[np.ndarray, "clusters"],
    unit: str = "",
    zero: float | None = None,
) -> Figure:
    """A hierarchy's clusters as icicles: each as wide as the rows in it, hanging from where it splits off.

    Lambda is 1 over a distance; the axis shows the distance.

    Args:
        parent: of each cluster of the hierarchy; -1 for the root, the first. Parents come before children.
        birth: lambda at which each splits off its parent.
        death: lambda at which each splits itself or its last rows leave.
        size: rows of each at birth.
        row_node: the deepest cluster each row is ever in.
        row_lambda: lambda at which the row leaves it.
        selected: which of them each chosen cluster is, by the chosen cluster's number.
        unit: of the distance, such as `share of bits`.
        zero: the distance that stands for none, where there are equal rows; the axis calls it 0.
    """
    joined = np.isfinite(row_lambda) & (row_lambda > 0)
    if not len(parent) or not joined.any():
        return sentence("Hierarchy of the clusters", "No two rows are ever joined, so there is no hierarchy.")
    tree = hang(
        parent,
        birth=birth,
        death=death,
        size=size,
        row_node=row_node,
        row_lambda=np.clip(row_lambda, 0.0, float(row_lambda[joined].max())),
        selected=selected,
    )
    scale = fitting_scale(tree, zero=zero)
    places = middles_of(tree)
    numbered, n_lines = _number_clusters(tree, scale=scale, places=places)
    figure = canvas(
        _heading(tree),
        note=_note(tree, scale=scale, n_numbered=len(numbered)),
        height=_TALL + 0.75,
    )
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
    _draw(axes, tree, scale=scale, places=places)
    _number(axes, tree, scale=scale, places=places, numbered=numbered, n_lines=n_lines)
    _measure(axes, n_rows=int(size[0]))
    ticks, names = _ticks(scale, zero=zero)
    axes.set_yticks(ticks, names)
    axes.grid(axis="y")
    axes.set_ylabel(
        "mutual reachability distance" + (f" ({fit_line(unit, width=1.8, size=9.5)})" if unit else "")
    )
    axes.set_xticks([])
    bare(axes)
    return figure


def _heading(tree: Icicles) -> str:
    n_split, n_rows = len(tree.parent) - 1, count_of(int(tree.size[0]), "row")
    if 0 in tree.chosen:
        return f"The hierarchy of {n_rows}, chosen as one cluster"
    if not n_split:
        return f"No cluster splits off in the hierarchy of {n_rows}"
    n_chosen = count_of(len(tree.chosen), "cluster") if len(tree.chosen) else "No cluster"
    return f"{n_chosen} chosen out of {n_split:,} in the hierarchy"


def _note(tree: Icicles, *, scale: Scale, n_numbered: int) -> str:
    note = (
        "A shape is as wide as its cluster has rows, from the distance at which it splits off (top) to the"
        " one at which it splits itself or its last rows leave."
    )
    if len(tree.chosen):
        note += " Coloured: chosen clusters; paler: what is in them; grey: all others."
    if n_numbered < len(tree.chosen):
        note += f" {n_numbered:,} have their number, the largest first."
    leaving = np.concatenate(tree.leaving)
    above, below = int((leaving > scale.high).sum()), int((leaving < scale.low).sum())
    cut = [f"{count_of(above, 'row')} leaving above {short(scale.high)}"] * bool(above)
    cut += [f"{count_of(below, 'row')} leaving below {short(scale.low)}"] * bool(below)
    return note + (f" Not shown: {', '.join(cut)}." if cut else "")


def _draw(axes: Axes, tree: Icicles, *, scale: Scale, places: Float[np.ndarray, "nodes"]) -> None:
    chosen = set(tree.chosen.tolist())
    # Chosen clusters last, so that the edges of small ones are not painted over; nothing that is cut off.
    drawn = np.flatnonzero(tree.top > scale.low)
    order = sorted(drawn.tolist(), key=lambda node: (node in chosen, tree.owner[node] != NOISE, node))
    faces, edges = zip(*(_shades(tree, node, chosen=node in chosen) for node in order), strict=True)
    shapes = [outline(tree, node, scale=scale, middle=float(places[node])) for node in order]
    axes.add_collection(
        PolyCollection(shapes, facecolors=faces, edgecolors=edges, linewidths=0.8, zorder=2), autolim=False
    )
    children = drawn[drawn > 0]
    parents = tree.parent[children]
    levels = scale.places(tree.bottom[parents])
    joints = np.stack([np.stack([places[ends], levels], axis=1) for ends in (parents, children)], axis=1)
    shades = [
        MUTED if owner == NOISE else _towards(colour(owner), "black", 0.2)
        for owner in tree.owner[parents].tolist()
    ]
    axes.add_collection(
        LineCollection(list(joints), colors=shades, linewidths=0.8, zorder=1.5), autolim=False
    )


def _shades(tree: Icicles, node: int, *, chosen: bool) -> tuple[str, str]:
    """Colours of a cluster's inside and of its edge."""
    if tree.owner[node] == NOISE:
        return _REST, _REST_EDGE
    full = colour(int(tree.owner[node]))
    if not chosen:
        return _towards(full, "white", 0.5), _towards(full, "white", 0.5)
    # A dark edge would hide the colour of a shape that is hardly wider.
    narrow = tree.size[node] / tree.size[0] * ROOT * _WIDE < 0.05
    return full, full if narrow else _towards(full, "black", 0.4)


def _towards(shade: str, other: str, share: float) -> str:
    """A colour on the way from one to another."""
    red, green, blue = (
        (1 - share) * one + share * two for one, two in zip(to_rgb(shade), to_rgb(other), strict=True)
    )
    return to_hex((red, green, blue))


def _number_clusters(
    tree: Icicles, *, scale: Scale, places: Float[np.ndarray, "nodes"]
) -> tuple[dict[int, float], int]:
    """The chosen clusters for whose numbers there is room, their places, and on how many lines."""
    by_size = np.argsort(-tree.size[tree.chosen], kind="stable")
    by_size = by_size[tree.top[tree.chosen[by_size]] > scale.low].tolist()
    wide = (inches(str(len(tree.chosen)), size=SMALL, bold=True) + 0.09) / _WIDE
    by_cluster: dict[int, float] = {}
    for n_lines in (1, 2):
        by_cluster = {}
        for number in by_size:
            numbers = [*by_cluster, number]
            wanted = places[tree.chosen[numbers]].tolist()
            if (len(numbers) - 1) * wide / n_lines <= 1:
                put = spread(wanted, gap=wide / n_lines, low=0.0, high=1.0)
                if max(abs(place - want) for place, want in zip(put, wanted, strict=True)) <= 0.35 / _WIDE:
                    by_cluster = dict(zip(numbers, put, strict=True))
        if len(by_cluster) == len(by_size):
            return by_cluster, n_lines
    return by_cluster, 2


def _number(
    axes: Axes,
    tree: Icicles,
    *,
    scale: Scale,
    places: Float[np.ndarray, "nodes"],
    numbered: dict[int, float],
    n_lines: int,
) -> None:
    """Writes the numbers below the tips of their clusters; on two lines by turns where one is too short."""
    for index, (number, place) in enumerate(sorted(numbered.items(), key=lambda item: item[1])):
        inside = np.flatnonzero(tree.owner == number)
        tip = float(scale.places(tree.bottom[inside]).min())
        middle = float(places[tree.chosen[number]])
        down = -0.05 - 0.04 * (index % n_lines)
        axes.plot(
            [middle, middle, place, place],
            [tip, -0.01, -0.05, down],
            color=RULE,
            linewidth=0.9,
            clip_on=False,
            zorder=1,
        )
        axes.text(place, down - 0.008, str(number), ha="center", va="top", fontsize=SMALL, fontweight="bold")


def _measure(axes: Axes, *, n_rows: int) -> None:
    """How wide all rows are, above the root."""
    ends = (1 - ROOT) / 2, (1 + ROOT) / 2
    axes.plot(ends, [1.025, 1.025], color=MUTED, linewidth=0.9, marker="|", markersize=5, clip_on=False)
    axes.text(0.5, 1.035, count_of(n_rows, "row"), ha="center", va="bottom", fontsize=SMALL, color=MUTED)


def _ticks(scale: Scale, *, zero: float | None) -> tuple[list[float], list[str]]:
    """Round distances and their places, and the one that stands for no distance."""
    if scale.logarithmic:
        powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
        wanted = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    else:
        round_ones = MaxNLocator(7, steps=[1, 2, 2.5, 5, 10])
        wanted = [float(value) for value in round_ones.tick_values(scale.low, scale.high)]
    named: dict[float, str] = {}
    if zero is not None and scale.low <= zero <= scale.high:
        named[zero] = "0"
    for value in wanted:
        if scale.low <= value <= scale.high:
            named.setdefault(value, f"{value:,g}")
    names: dict[float, str] = {}
    for value, name in named.items():
        place = float(scale.places(np.array([value]))[0])
        if all(abs(place - other) * _TALL > 0.2 for other in names):
            names[place] = name
    return list(names), list(names.values())
