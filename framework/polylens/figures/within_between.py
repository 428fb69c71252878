"""Distances within clusters and between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.style import MUTED, RULE, SMALL, STRONG, WARM, bare, canvas, picture, sentence
from polylens.figures.words import fit_line, lines, plain, tick
from polylens.wording import count_of, percent, short

_MOST_BINS = 90
_TALL = 0.95
"""Inches of one group."""


@picture
def within_between(
    within: Float[np.ndarray, "within_pairs"],
    *,
    between: Float[np.ndarray, "between_pairs"],
    noise: Float[np.ndarray, "noise_rows"] | None = None,
    noise_is: str = "noise to its nearest cluster",
    unit: str = "",
) -> Figure:
    """Histograms of the distances within clusters and between them, over the same bins, one above the other.

    Args:
        within: distance of each pair of rows of one cluster.
        between: distance of each pair of rows of two clusters.
        noise: distance of each row in no cluster to the nearest cluster.
        noise_is: the words for those distances.
        unit: of all distances, such as `share of bits`.
    """
    inside, across = within[np.isfinite(within)], between[np.isfinite(between)]
    groups = {"within clusters": (inside, "pair"), "between clusters": (across, "pair")}
    if noise is not None:
        groups[plain(noise_is, limit=90)] = (noise[np.isfinite(noise)], "row")
    groups = {name: group for name, group in groups.items() if len(group[0])}
    if not groups:
        return sentence("Distances within and between clusters", "There are no pairs of rows in clusters.")
    everything = np.concatenate([values for values, _ in groups.values()])
    if everything.min() == everything.max():
        alike = f"All {count_of(len(everything), 'distance')} are the same, {short(float(everything[0]))}."
        return sentence("Distances within and between clusters", alike)
    bins = int(np.clip(np.sqrt(len(everything)), 15, _MOST_BINS))
    edges = _edges(everything, most=bins)
    shares = {name: np.histogram(values, edges)[0] / len(values) for name, (values, _) in groups.items()}
    note, common = "", None
    if len(inside) and len(across):
        common = np.minimum(shares["within clusters"], shares["between clusters"])
        note = (
            f"In {percent(_nearer(inside, across))} of comparisons a pair within a cluster is nearer than one"
            " between clusters (50 % if there were no difference). The histograms overlap by"
            f" {percent(float(common.sum()))}, the darker part. Lines stand at the medians."
        )
    figure = canvas(_heading(inside, across), note=note, height=_TALL * len(groups) + 0.55)
    panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0].tolist()
    shades = {"within clusters": STRONG, "between clusters": WARM}
    for axes, (name, (values, noun)) in zip(panels, groups.items(), strict=True):
        shade = shades.get(name, MUTED)
        _draw(axes, shares[name], edges=edges, shade=shade, common=common if name in shades else None)
        middle = float(np.median(values))
        axes.plot([middle, middle], [0, 1.1 * shares[name].max()], color=shade, linewidth=1.6)
        words = [*lines(name, width=1.45, size=SMALL, bold=True, most=3), f"median {short(middle)}"]
        words.append(count_of(len(values), noun))
        axes.text(
            -0.02,
            0.5,
            "\n".join(words),
            transform=axes.transAxes,
            ha="right",
            va="center",
            color=shade,
            fontsize=SMALL,
            linespacing=1.35,
        )
    _cross(panels, {name: float(np.median(values)) for name, (values, _) in groups.items()}, shades)
    panels[-1].set_xlabel("distance" + (f" ({fit_line(unit, width=3.0, size=9.5)})" if unit else ""))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(tick))
    panels[-1].set_xlim(*_limits(edges))
    return figure


def _heading(within: Float[np.ndarray, "within_pairs"], between: Float[np.ndarray, "between_pairs"]) -> str:
    if len(within) and len(between):
        return (
            f"Median distance {short(float(np.median(within)))} within clusters,"
            f" {short(float(np.median(between)))} between them"
        )
    return "Distances " + (
        "within clusters" if len(within) else "between clusters" if len(between) else "of noise"
    )


def _edges(values: Float[np.ndarray, "values"], *, most: int) -> Float[np.ndarray, "edges"]:
    """Edges of equally wide bins; where the distances are counts of something, with equally many counts each.

    >>> _edges(np.array([0.0, 0.25, 0.5, 0.75]), most=10).tolist()
    [-0.125, 0.125, 0.375, 0.625, 0.875]
    """
    places = np.unique(values.astype(np.float64))
    low, high = float(places[0]), float(places[-1])
    n_steps = round(min((high - low) / float(np.diff(places).min()), 1e9))
    step = (high - low) / n_steps
    steps = (places - low) / step
    if np.abs(steps - np.rint(steps)).max() > 0.01:
        return np.linspace(low, high, most + 1)
    per_bin = -(-(n_steps + 1) // most)
    n_bins = -(-(n_steps + 1) // per_bin)
    return low + step * (np.arange(n_bins + 1) * per_bin - 0.5)


def _limits(edges: Float[np.ndarray, "edges"]) -> tuple[float, float]:
    """The two ends of the axis: it starts at 0 where the least distance is not far from it."""
    low, high = float(edges[0]), float(edges[-1])
    pad = 0.01 * (high - low)
    return (min(low, 0.0) if low < 0.6 * high else low) - pad, high + pad


def _nearer(within: Float[np.ndarray, "within_pairs"], between: Float[np.ndarray, "between_pairs"]) -> float:
    """The share of comparisons in which the distance within is the smaller one; equal ones count half.

    >>> _nearer(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    0.625
    """
    ranked = np.sort(between)
    below, up_to = (np.searchsorted(ranked, within, side=side) for side in ("left", "right"))
    return float(1 - (below + up_to).mean() / 2 / len(ranked))


def _draw(
    axes: Axes,
    shares: Float[np.ndarray, "bins"],
    *,
    edges: Float[np.ndarray, "edges"],
    shade: str,
    common: Float[np.ndarray, "bins"] | None,
) -> None:
    axes.stairs(shares, edges, fill=True, color=shade, alpha=0.28)
    if common is not None:
        axes.stairs(common, edges, fill=True, color=shade, alpha=0.5)
    axes.stairs(shares, edges, color=shade, linewidth=1.4)
    axes.set_ylim(0, 1.12 * float(shares.max()))
    axes.set_yticks([])
    bare(axes, keep=["bottom"])
    axes.spines["bottom"].set_color(RULE)


def _cross(panels: list[Axes], medians: Mapping[str, float], shades: Mapping[str, str]) -> None:
    """Each median also as a faint line through all groups, so that they can be compared."""
    for axes in panels:
        for name, middle in medians.items():
            axes.axvline(middle, color=shades.get(name, MUTED), linewidth=0.8, alpha=0.45, zorder=0.5)
