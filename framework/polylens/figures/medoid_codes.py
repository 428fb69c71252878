"""The medoids' codes as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from polylens.figures.columns import (
    column_width,
    layer_edges,
    name_layers,
    names_height,
    narrow_columns,
    part_layers,
)
from polylens.figures.style import MUTED, SMALL, STRONG, WIDTH, bare, canvas, picture, sentence
from polylens.figures.words import fit_line, inches
from polylens.records import CodeLayer
from polylens.wording import count_of, percent

_MOST = 60
_ON = LinearSegmentedColormap.from_list("on", ["#e6ebef", "#8ab8dc", STRONG])
_DISSENT = LinearSegmentedColormap.from_list("dissent", ["#8f3f00", "#c9620a", "#efb37d", "#fdf4ea"])
"""Members' agreement with their medoid, from half of them to all."""
_STRIPS = (0.0, 0.56, 0.84, 1.0)
"""Shares of one line's height: the code, below it the agreement, below that air."""


@picture
def medoid_codes(
    codes: Bool[np.ndarray, "clusters bits"],
    *,
    sizes: Int[np.ndarray, "clusters"],
    layers: Sequence[CodeLayer],
    agreement: Float[np.ndarray, "clusters bits"] | None = None,
    names: Sequence[str] | None = None,
    sort: bool = True,
) -> Figure:
    """The code of each cluster's medoid as one line, and below it how many members agree with each bit.

    Args:
        codes: the medoids', by the clusters' numbers.
        sizes: rows of each cluster.
        layers: whose bits these are, in their order.
        agreement: share of each cluster's members whose bit is the medoid's.
        names: what each cluster is called, by its number.
        sort: whether bits are sorted within their layer so that those that are on in the same clusters stand
            together; otherwise they stand as they are.
    """
    n_clusters, n_bits = codes.shape
    if not n_clusters or not n_bits:
        return sentence("Codes of the medoids", "There are no codes to show.")
    shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST])
    edges = layer_edges(layers, n_bits=n_bits)
    order = np.arange(n_bits)
    if sort:
        order = np.concatenate([a + _alike(codes[shown, a:b]) for a, b in pairwise(edges.tolist())])
    width = column_width(n_bits)
    note = _note(width=width, shown=len(shown), of=n_clusters, sort=sort, agreement=agreement is not None)
    ticks = [_name(int(number), size=int(sizes[number]), names=names) for number in shown]
    room = WIDTH - 0.4 - max(inches(text, size=SMALL) for text in ticks) - 0.5 * (agreement is not None)
    head = names_height(layers, edges=edges, width=room) + 0.25
    tall = 0.19 if agreement is None else float(np.clip(6.0 / len(shown), 0.21, 0.34))
    figure = canvas(
        _heading(codes), note=note, height=tall * len(shown) + head + 0.65 * (agreement is not None)
    )
    axes = figure.add_subplot()
    places = np.minimum(np.arange(0, n_bits + width, width), n_bits)
    drawn = narrow_columns(codes[np.ix_(shown, order)], width=width)
    _strip(axes, drawn, places=places, number=0, last=agreement is None)
    if agreement is not None:
        held = narrow_columns(agreement[np.ix_(shown, order)], width=width)
        _strip(axes, held, places=places, number=1)
        _state_means(axes, agreement[shown].mean(axis=1))
        _draw_scale(figure, axes)
    axes.set_xlim(0, n_bits)
    axes.set_ylim(len(shown), -0.06)
    part_layers(axes, edges=edges, thin=room / len(layers) < 0.25)
    name_layers(axes, layers, edges=edges, width=room)
    middle = _STRIPS[1] / 2 if agreement is not None else 0.42
    axes.set_yticks(np.arange(len(shown)) + middle, ticks)
    bare(axes)
    return figure


def _note(*, width: int, shown: int, of: int, sort: bool, agreement: bool) -> str:
    """How the lines are read, and what is left out of them."""
    note = "A line is the code of one cluster's medoid; blue is on."
    if sort:
        note += (
            " Bits within a layer are sorted so that those that are on in the same clusters stand together."
        )
    if width > 1:
        note += f" Each column is the mean of {width} bits."
    if of > shown:
        note += f" The {shown} largest of {of:,} clusters."
    if agreement:
        note += " Orange, below each code: the bits in which the cluster's members differ from their medoid."
    return note


def _heading(codes: Bool[np.ndarray, "clusters bits"]) -> str:
    text = f"Codes of {count_of(len(codes), 'medoid')}, {count_of(codes.shape[1], 'bit')}"
    if len(codes) > 1:
        n_varied = int((codes.any(axis=0) & ~codes.all(axis=0)).sum())
        number = "all" if n_varied == codes.shape[1] else f"{n_varied:,}" if n_varied else "none"
        text += f", {number} of which differ{'s' * (n_varied == 1)} between them"
    return text


def _alike(codes: Bool[np.ndarray, "clusters bits"]) -> Int[np.ndarray, "bits"]:
    """An order of the bits: always on first, always off last, between them like ones beside each other.

    >>> _alike(np.array([[0, 1, 0, 1], [0, 0, 1, 1]], dtype=bool)).tolist()
    [3, 1, 2, 0]
    """
    share = codes.mean(axis=0)
    varied = np.flatnonzero((share > 0) & (share < 1))
    ends = np.flatnonzero(share == 1), np.flatnonzero(share == 0)
    if len(varied) < 3:
        return np.concatenate([ends[0], varied, ends[1]])
    # Bits that are on in the same clusters point the same way in the plane of the two leading components.
    centred = codes[:, varied] - codes[:, varied].mean(axis=1, keepdims=True)
    centred -= centred.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    _, strengths, axes = np.linalg.svd(centred / np.where(lengths > 1e-9, lengths, 1.0), full_matrices=False)
    plane = axes[:2] * (strengths[:2, None] > 1e-9 * max(float(strengths[0]), 1e-300))
    plane *= np.sign(plane[np.arange(len(plane)), np.abs(plane).argmax(axis=1)])[:, None]
    angles = np.round(np.arctan2(plane[-1], plane[0]) % (2 * np.pi), 6)
    by_angle = np.lexsort((*~codes[::-1, varied], angles))
    # The circle is cut where it is emptiest, so that no group of bits stands half at either end.
    turned = angles[by_angle]
    cut = int(np.diff(turned, prepend=turned[-1] - 2 * np.pi).argmax())
    return np.concatenate([ends[0], varied[np.roll(by_angle, -cut)], ends[1]])


def _strip(
    axes: Axes,
    values: Float[np.ndarray, "lines columns"],
    *,
    places: Float[np.ndarray, "edges"] | Int[np.ndarray, "edges"],
    number: int,
    last: bool = False,
) -> None:
    """Draws a strip of each line: the code (0) or the agreement (1)."""
    n_lines = len(values)
    ends = (0.0, 0.84) if last else _STRIPS[number : number + 2]
    rows = (np.arange(n_lines)[:, None] + ends).ravel()
    # Between two strips lies a row without values.
    cells = np.full((2 * n_lines - 1, values.shape[1]), np.nan)
    cells[::2] = values
    low, high = (0.0, 1.0) if number == 0 else (0.5, 1.0)
    axes.pcolormesh(
        places,
        rows,
        np.ma.masked_invalid(cells),
        cmap=_ON if number == 0 else _DISSENT,
        vmin=low,
        vmax=high,
        zorder=0.5,
    )


def _state_means(axes: Axes, means: Float[np.ndarray, "lines"]) -> None:
    """Writes at the right what share of all bits the members have as their medoid has them."""
    for line, mean in enumerate(means.tolist()):
        axes.text(
            1.008,
            line + _STRIPS[1] / 2,
            percent(mean),
            transform=axes.get_yaxis_transform(),
            va="center_baseline",
            fontsize=SMALL,
            color=MUTED,
        )


def _draw_scale(figure: Figure, axes: Axes) -> None:
    """The colours of the agreement, below the picture."""
    bar = figure.colorbar(
        axes.collections[-1],
        ax=axes,
        orientation="horizontal",
        aspect=32,
        shrink=0.6,
        pad=0.02,
        anchor=(0.0, 0.0),
    )
    bar.set_ticks([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], labels=["≤ 0.5", "0.6", "0.7", "0.8", "0.9", "1"])
    bar.set_label(
        "share of members whose bit is the medoid's; at the right: its mean over all bits", loc="left"
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def _name(number: int, *, size: int, names: Sequence[str] | None) -> str:
    if names is None or number >= len(names):
        return f"cluster {number} ({size:,})"
    return f"{fit_line(f'{number} · {names[number]}', width=1.5, size=SMALL)} ({size:,})"
