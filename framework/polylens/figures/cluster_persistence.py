"""How many rows each cluster holds and how long it lasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from polylens.figures.style import MUTED, RULE, SMALL, STRONG, WARM, bare, canvas, picture, sentence
from polylens.figures.words import fit_line, tick
from polylens.wording import count_of, short

_MOST = 40
_QUIET = "#7fa9cc"


@picture
def cluster_persistence(
    sizes: Int[np.ndarray, "clusters"],
    *,
    persistence: Float[np.ndarray, "clusters"],
    names: Sequence[str] | None = None,
) -> Figure:
    """Rows of each cluster as a bar and its persistence as a dot, one line a cluster, largest first.

    Args:
        sizes: rows of each cluster, by its number.
        persistence: how long each cluster lasts over the heights, in [0, 1]; NaN where it is not known.
        names: what each cluster is called, by its number.
    """
    if not len(sizes):
        return sentence("Size and persistence", "There are no clusters.")
    order = np.argsort(-sizes, kind="stable")
    shown, rest = order[:_MOST], order[_MOST:]
    known = persistence[np.isfinite(persistence)]
    heading = f"{count_of(len(sizes), 'cluster')} of {_range(sizes.min(), sizes.max())}"
    if len(known):
        heading += f", persistence {short(float(np.median(known)))}" + " (median)" * (len(known) > 1)
    note = (
        "Persistence: how long a cluster lasts over the heights, from 0 to 1; one near 0 hardly stands out"
        " from what surrounds it."
    )
    if len(known) > 1:
        note += " Dashed: the median of all clusters."
    if len(rest):
        note += f" The {len(shown)} largest clusters; the {len(rest):,} others share the last line."
    places = np.arange(len(shown), dtype=float)
    figure = canvas(heading, note=note, height=0.2 * (len(shown) + 1.6 * bool(len(rest))) + 0.75)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.0, 1.15])
    _draw_sizes(left, sizes[shown], places=places, reach=(int(sizes.min()), int(sizes.max())))
    _draw_persistence(right, persistence[shown], places=places, known=known)
    named = [_name(int(number), names) for number in shown]
    if len(rest):
        last = len(shown) + 0.4
        _draw_rest(left, right, sizes=sizes[rest], persistence=persistence[rest], place=last)
        places, named = np.append(places, last), [*named, f"{len(rest):,} smaller ones"]
    left.set_yticks(places, named)
    left.set_ylim(places[-1] + 0.6, -0.6)
    return figure


def _draw_sizes(
    axes: Axes, sizes: Int[np.ndarray, "shown"], *, places: Float[np.ndarray, "shown"], reach: tuple[int, int]
) -> None:
    # A bar on a logarithmic axis has no natural beginning: a power of ten below the smallest cluster.
    low = 10.0 ** np.floor(np.log10(max(reach[0], 1)) - 0.05)
    axes.set_xscale("log")
    axes.barh(places, sizes - low, left=low, color=STRONG, height=0.7)
    for place, size in zip(places, sizes, strict=True):
        _beside(axes, float(size), float(place), f"{size:,}")
    # Room at the right for the number of the longest bar.
    axes.set_xlim(low, low * (max(reach[1], 1) / low) ** 1.32)
    axes.xaxis.set_major_locator(LogLocator(10, numticks=6))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel("rows (logarithmic)")
    bare(axes, keep=["left"])
    axes.spines["left"].set_color(RULE)
    axes.grid(axis="x")


def _draw_persistence(
    axes: Axes,
    persistence: Float[np.ndarray, "shown"],
    *,
    places: Float[np.ndarray, "shown"],
    known: Float[np.ndarray, "known"],
) -> None:
    if len(known) > 1:
        axes.axvline(float(np.median(known)), color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.hlines(places, 0, persistence, color=WARM, linewidth=1.4, alpha=0.45)
    axes.plot(
        persistence, places, "o", color=WARM, markersize=5.5, markeredgecolor="white", markeredgewidth=0.7
    )
    for place, value in zip(places, persistence, strict=True):
        _beside(axes, 1.0, float(place), short(float(value)), away=8.0)
    axes.set_xlim(0, 1.17)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel("persistence")
    axes.tick_params(axis="y", length=0)
    bare(axes, keep=["left"])
    axes.spines["left"].set_color(RULE)
    axes.grid(axis="x")


def _draw_rest(
    left: Axes,
    right: Axes,
    *,
    sizes: Int[np.ndarray, "rest"],
    persistence: Float[np.ndarray, "rest"],
    place: float,
) -> None:
    """All smaller clusters on one line: the range of their sizes, and every persistence as a faint dot."""
    left.plot([sizes.min(), sizes.max()], [place, place], color=_QUIET, linewidth=5, solid_capstyle="butt")
    _beside(left, float(sizes.max()), place, _range(sizes.min(), sizes.max(), noun=""))
    right.plot(
        persistence,
        np.full(len(persistence), place),
        "o",
        color=WARM,
        markersize=5,
        markeredgewidth=0,
        alpha=0.3,
    )


def _beside(axes: Axes, value: float, place: float, text: str, *, away: float = 4.0) -> None:
    axes.annotate(
        text,
        (value, place),
        xytext=(away, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=SMALL,
        color=MUTED,
    )


def _range(low: int | np.integer, high: int | np.integer, *, noun: str = " rows") -> str:
    return (f"{low:,}" if low == high else f"{low:,} to {high:,}") + noun


def _name(number: int, names: Sequence[str] | None) -> str:
    if names is None or number >= len(names):
        return f"cluster {number}"
    return fit_line(f"{number} · {names[number]}", width=2.3, size=SMALL)
