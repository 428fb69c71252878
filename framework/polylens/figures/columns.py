"""Bits as columns of a picture: sorted, narrowed to what can be seen, and named by layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes

from polylens.figures.style import MUTED, SMALL
from polylens.figures.words import fit_line, inches, plain
from polylens.records import CodeLayer

MOST_COLUMNS = 1000


def layer_edges(layers: Sequence[CodeLayer], *, n_bits: int) -> Int[np.ndarray, "edges"]:
    """Where each layer begins among the bits, and where the last one ends.

    >>> layer_edges([CodeLayer("a", 3), CodeLayer("b", 2)], n_bits=5).tolist()
    [0, 3, 5]
    """
    edges: Int[np.ndarray, "edges"] = np.minimum(np.cumsum([0, *(layer.bits for layer in layers)]), n_bits)
    return edges


def column_width(n_bits: int) -> int:
    """How many bits are drawn as one column.

    >>> column_width(64), column_width(3072)
    (1, 4)
    """
    return -(-n_bits // MOST_COLUMNS)


def narrow_columns(
    values: Bool[np.ndarray, "rows units"] | Float[np.ndarray, "rows units"], *, width: int
) -> Float[np.ndarray, "rows columns"]:
    """Means of `width` neighbouring columns; the last mean may be of fewer.

    >>> narrow_columns(np.array([[True, False, True]]), width=2).tolist()
    [[0.5, 1.0]]
    """
    if width == 1:
        return values.astype(np.float32)
    starts = np.arange(0, values.shape[1], width)
    sums = np.add.reduceat(values, starts, axis=1, dtype=np.float32)
    means: Float[np.ndarray, "rows columns"] = sums / np.diff([*starts, values.shape[1]])
    return means


def part_layers(axes: Axes, *, edges: Int[np.ndarray, "edges"], thin: bool = False) -> None:
    """Draws a line between every two layers, a thin one where a broad one would hide the bits."""
    for edge in edges[1:-1]:
        axes.axvline(edge, color="white", linewidth=1.2 if thin else 3.0)
        axes.axvline(edge, color=MUTED, linewidth=0.4 if thin else 0.8)


def name_layers(
    axes: Axes, layers: Sequence[CodeLayer], *, edges: Int[np.ndarray, "edges"], width: float
) -> None:
    """Names the layers above their bits: turned where they are narrow, not at all where there is no room.

    Args:
        axes: whose columns are bits.
        layers: in their order.
        edges: where each layer begins among the bits, and where the last one ends.
        width: inches of all bits together.
    """
    axes.xaxis.tick_top()
    names = _names(layers, edges=edges, width=width)
    axes.set_xticks([place for place, *_ in names], [name for _, name, _ in names])
    for text, (*_, flat) in zip(axes.get_xticklabels(), names, strict=True):
        text.set_rotation(0 if flat else 90)


def names_height(layers: Sequence[CodeLayer], *, edges: Int[np.ndarray, "edges"], width: float) -> float:
    """Inches that the names of the layers take above the bits."""
    names = _names(layers, edges=edges, width=width)
    return max((0.34 if flat else inches(name, size=SMALL) for _, name, flat in names), default=0.0)


def _names(
    layers: Sequence[CodeLayer], *, edges: Int[np.ndarray, "edges"], width: float
) -> list[tuple[float, str, bool]]:
    """Where the names of layers stand: the middle of the layer's bits, its name, and whether it lies flat.

    Layers that are too narrow for a name are left out.
    """
    room = width / max(int(edges[-1]), 1)
    names: list[tuple[float, str, bool]] = []
    for layer, (a, b) in zip(layers, pairwise(edges.tolist()), strict=True):
        wide, size = (b - a) * room, f"{layer.bits:,} bits"
        flat = all(inches(plain(text), size=SMALL) <= wide * 0.97 for text in (layer.name, size))
        if flat or wide > 0.16:
            name = f"{plain(layer.name)}\n{size}" if flat else fit_line(layer.name, width=1.5, size=SMALL)
            names.append(((a + b) / 2, name, flat))
    return names
