"""Codes as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polylens.figures.placing import spread
from polylens.figures.style import BLUES, MUTED, RULE, SMALL, WIDTH, bare, canvas, picture, sentence
from polylens.figures.words import counted, fitted, inches, plain
from polylens.records import NOISE, CodeLayer, count_clusters

_MOST_ROWS = 900
_MOST_COLUMNS = 1000
_TALL = 5.2
"""Inches of the picture itself."""


@picture
def code_image(
    bits: Bool[np.ndarray, "rows units"], *, labels: Int[np.ndarray, "rows"], layers: Sequence[CodeLayer]
) -> Figure:
    """The codes as a picture: rows sorted by cluster, bits sorted within each layer by how often they are on.

    Args:
        bits: of all layers, one after the other.
        labels: cluster of each row; -1 is noise and stands at the bottom.
        layers: whose bits these are, in their order.
    """
    n_rows, n_bits = bits.shape
    if not n_rows or not n_bits:
        return sentence("Codes", "There are no codes to show.")
    rows = _chosen_rows(labels)
    edges = np.minimum(np.cumsum([0, *(layer.bits for layer in layers)]), n_bits)
    order = np.concatenate(
        [a + np.argsort(-bits[:, a:b].mean(axis=0), kind="stable") for a, b in pairwise(edges)]
    ).astype(int)
    drawn, columns = _narrowed(bits, rows=rows, order=order)
    note = (
        "A row of the picture is one code; blue is on. Rows are sorted by cluster, bits within a layer by how"
        " often they are on."
    )
    if len(rows) < n_rows:
        note += f" {len(rows):,} of {n_rows:,} rows, evenly from each cluster."
    if columns > 1:
        note += f" Each column is the mean of {columns} bits."
    figure = canvas(
        f"Codes of {counted(n_bits, 'bit')}, {counted(n_rows, 'row')}", note=note, height=_TALL + 0.55
    )
    axes = figure.add_subplot()
    axes.imshow(
        drawn,
        cmap=BLUES,
        vmin=0,
        vmax=1.15,
        aspect="auto",
        interpolation="nearest",
        extent=(0, n_bits, len(rows), 0),
    )
    for edge in edges[1:-1]:
        axes.axvline(edge, color="white", linewidth=3.0)
        axes.axvline(edge, color=MUTED, linewidth=0.8)
    _name_layers(axes, layers, edges=edges)
    _name_clusters(axes, labels[rows])
    bare(axes)
    return figure


def _chosen_rows(labels: Int[np.ndarray, "rows"]) -> Int[np.ndarray, "chosen"]:
    """Rows by cluster, noise last; where there are too many, evenly spaced ones of each cluster."""
    share = min(1.0, _MOST_ROWS / len(labels))
    kept = []
    for cluster in [*range(count_clusters(labels)), NOISE]:
        members = np.flatnonzero(labels == cluster)
        if len(members):
            n_kept = max(1, round(share * len(members)))
            kept.append(members[np.linspace(0, len(members) - 1, n_kept).astype(int)])
    return np.concatenate(kept)


def _narrowed(
    bits: Bool[np.ndarray, "rows units"], *, rows: Int[np.ndarray, "chosen"], order: Int[np.ndarray, "units"]
) -> tuple[Float[np.ndarray, "chosen columns"], int]:
    width = -(-len(order) // _MOST_COLUMNS)
    chosen = bits[np.ix_(rows, order)]
    if width == 1:
        return chosen.astype(np.float32), 1
    starts = np.arange(0, len(order), width)
    sums = np.add.reduceat(chosen, starts, axis=1, dtype=np.float32)
    return sums / np.diff([*starts, len(order)]), width


def _name_layers(axes: Axes, layers: Sequence[CodeLayer], *, edges: Int[np.ndarray, "edges"]) -> None:
    """Names the layers above their bits: turned where they are narrow, not at all where there is no room."""
    axes.xaxis.tick_top()
    room = (WIDTH - 1.3) / max(int(edges[-1]), 1)
    ticks: list[float] = []
    names: list[tuple[str, bool]] = []
    for layer, (a, b) in zip(layers, pairwise(edges.tolist()), strict=True):
        width, size = (b - a) * room, f"{layer.bits:,} bits"
        flat = all(inches(plain(text), size=SMALL) <= width * 0.97 for text in (layer.name, size))
        if flat or width > 0.16:
            ticks.append((a + b) / 2)
            names.append(
                (f"{plain(layer.name)}\n{size}" if flat else fitted(layer.name, width=1.5, size=SMALL), flat)
            )
    axes.set_xticks(ticks, [name for name, _ in names])
    for text, (_, flat) in zip(axes.get_xticklabels(), names, strict=True):
        text.set_rotation(0 if flat else 90)


def _name_clusters(axes: Axes, labels: Int[np.ndarray, "rows"]) -> None:
    """Names the bands of rows at the left, the largest ones first, with lines to their bands."""
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1)).tolist()
    ends = [*starts[1:], len(labels)]
    gap, far = (inch / _TALL * len(labels) for inch in (0.145, 0.45))
    by_size = sorted(zip(starts, ends, strict=True), key=lambda band: (band[0] - band[1], band[0]))
    for named in range(len(by_size), 0, -1):
        bands = sorted(by_size[:named])
        middles = [(a + b) / 2 for a, b in bands]
        places = spread(middles, gap=gap, low=gap / 2, high=len(labels) - gap / 2)
        if all(abs(place - middle) <= far for place, middle in zip(places, middles, strict=True)):
            break
    transform = axes.get_yaxis_transform()
    for (start, _), middle, place in zip(bands, middles, places, strict=True):
        name = "noise" if labels[start] == NOISE else str(labels[start])
        axes.plot(
            [-0.004, -0.022], [middle, place], color=RULE, linewidth=0.9, transform=transform, clip_on=False
        )
        axes.text(-0.028, place, name, transform=transform, ha="right", va="center_baseline", fontsize=SMALL)
    for start in starts[1:]:
        axes.axhline(start, color="white", linewidth=1.6)
        axes.axhline(start, color=MUTED, linewidth=0.6)
    axes.set_yticks([])
