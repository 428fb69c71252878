"""Codes as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polylens.figures.columns import column_width, layer_edges, name_layers, narrow_columns, part_layers
from polylens.figures.placing import spread
from polylens.figures.style import BLUES, MUTED, RULE, SMALL, WIDTH, bare, canvas, picture, sentence
from polylens.records import NOISE, CodeLayer, count_clusters
from polylens.wording import count_of

_MOST_ROWS = 900
_TALL = 5.2
"""Inches of the picture itself."""
_LEAST_BAND = 0.06
"""Inches of a band of rows that gets a line."""


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
    edges = layer_edges(layers, n_bits=n_bits)
    order = np.concatenate(
        [a + np.argsort(-bits[:, a:b].mean(axis=0), kind="stable") for a, b in pairwise(edges)]
    ).astype(int)
    columns = column_width(n_bits)
    drawn = narrow_columns(bits[np.ix_(rows, order)], width=columns)
    note = (
        "A row of the picture is one code; blue is on. Rows are sorted by cluster, bits within a layer by how"
        " often they are on."
    )
    if len(rows) < n_rows:
        note += f" {len(rows):,} of {n_rows:,} rows, evenly from each cluster."
    if columns > 1:
        note += f" Each column is the mean of {columns} bits."
    figure = canvas(
        f"Codes of {count_of(n_bits, 'bit')}, {count_of(n_rows, 'row')}", note=note, height=_TALL + 0.55
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
    part_layers(axes, edges=edges)
    name_layers(axes, layers, edges=edges, width=WIDTH - 1.3)
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


def _name_clusters(axes: Axes, labels: Int[np.ndarray, "rows"]) -> None:
    """Names the bands of rows at the left, the largest ones first, with lines to their bands."""
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1)).tolist()
    ends = [*starts[1:], len(labels)]
    gap, far = (inch / _TALL * len(labels) for inch in (0.145, 0.45))
    by_size = sorted(zip(starts, ends, strict=True), key=lambda band: (band[0] - band[1], band[0]))
    for named in range(min(len(by_size), max(1, int(len(labels) / gap))), 0, -1):
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
    for above, start, end in zip(starts, starts[1:], ends[1:], strict=False):
        # Between bands that are as thin as the line itself, nothing but lines would be left.
        if max(start - above, end - start) < _LEAST_BAND / _TALL * len(labels):
            continue
        axes.axhline(start, color="white", linewidth=1.6)
        axes.axhline(start, color=MUTED, linewidth=0.6)
    axes.set_yticks([])
