"""How many rows each cluster holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.style import MUTED, NOISE_COLOUR, RULE, SMALL, STRONG, bare, canvas, picture, sentence
from polylens.figures.words import fit_line
from polylens.records import NOISE
from polylens.wording import count_of, percent

_MOST = 30


@picture
def cluster_sizes(labels: Int[np.ndarray, "rows"], *, names: Sequence[str] | None = None) -> Figure:
    """How many rows each cluster holds, largest first, noise last.

    Args:
        labels: cluster of each row; -1 is noise.
        names: what each cluster is called, by its number.
    """
    if not len(labels):
        return sentence("Rows per cluster", "There are no rows.")
    counts = np.bincount(labels[labels != NOISE], minlength=0)
    noise = int((labels == NOISE).sum())
    if not counts.sum():
        return sentence("No clusters", f"All {count_of(noise, 'row')} are noise.")
    order = np.argsort(-counts, kind="stable")
    bars = [(_name(int(c), names), int(counts[c]), STRONG) for c in order[:_MOST]]
    rest = order[_MOST:]
    if len(rest):
        bars.append((f"{len(rest)} smaller ones", int(counts[rest].sum()), "#7fa9cc"))
    bars.append(("noise", noise, NOISE_COLOUR))

    share = 1 - noise / len(labels)
    n_clusters = int((counts > 0).sum())
    figure = canvas(
        f"{count_of(n_clusters, 'cluster')} {'holds' if n_clusters == 1 else 'hold'} {percent(share)}"
        f" of {count_of(len(labels), 'row')}",
        note="Rows per cluster, and their share of all rows."
        + (f" The {len(rest)} smallest clusters are drawn as one bar." if len(rest) else ""),
        height=0.225 * len(bars) + 0.3,
    )
    axes = figure.add_subplot()
    places = np.arange(len(bars), dtype=float)
    places[-1] += 0.35
    sizes = [size for _, size, _ in bars]
    axes.barh(places, sizes, color=[shade for *_, shade in bars], height=0.74)
    for place, size in zip(places, sizes, strict=True):
        axes.annotate(
            f"{size:,}  ({percent(size / len(labels))})",
            (size, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=SMALL,
            color=MUTED,
        )
    axes.set_yticks(places, [name for name, *_ in bars])
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.set_xlim(0, 1.16 * max(sizes))
    axes.set_xticks([])
    bare(axes, keep=["left"])
    axes.spines["left"].set_color(RULE)
    return figure


def _name(number: int, names: Sequence[str] | None) -> str:
    if names is None or number >= len(names):
        return f"cluster {number}"
    return fit_line(f"{number} · {names[number]}", width=2.9, size=SMALL)
