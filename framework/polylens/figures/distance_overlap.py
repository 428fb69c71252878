"""Distances of same-class and of different-class pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.style import MUTED, SMALL, STRONG, WARM, bare, canvas, picture, sentence
from polylens.wording import count_of, short


@picture
def distance_overlap(
    same: Float[np.ndarray, "same_pairs"], different: Float[np.ndarray, "different_pairs"]
) -> Figure:
    """Histograms of the distances of same-class and of different-class pairs, over the same bins.

    Args:
        same: distance of each same-class pair.
        different: distance of each different-class pair.
    """
    heading = "Distances of the pairs"
    groups = {"same class": same[np.isfinite(same)], "different classes": different[np.isfinite(different)]}
    if not all(len(values) for values in groups.values()):
        missing = " and ".join(name for name, values in groups.items() if not len(values))
        return sentence(heading, f"There are no pairs of {missing}, so there is nothing to compare.")
    both = np.concatenate(list(groups.values()))
    low, high = float(both.min()), float(both.max())
    if high <= low:
        return sentence(heading, f"All {count_of(len(both), 'pair')} have the same distance, {short(low)}.")
    edges = np.linspace(low, high, 61)
    figure = canvas(
        heading,
        note="Only where the two overlap can densities be compared at equal distance.",
        height=3.0,
    )
    axes = figure.add_subplot()
    peaks = []
    for (name, values), shade in zip(groups.items(), (STRONG, WARM), strict=True):
        heights = np.histogram(values, edges)[0] / len(values)
        axes.stairs(heights, edges, fill=True, color=shade, alpha=0.28)
        axes.stairs(heights, edges, color=shade, linewidth=1.6)
        peaks.append((name, values, heights, shade))
    tallest = max(float(heights.max()) for _, _, heights, _ in peaks)
    for index, (name, values, _, shade) in enumerate(sorted(peaks, key=lambda peak: float(peak[1].mean()))):
        mean = float(values.mean())
        axes.plot([mean, mean], [0, 1.04 * tallest], color=shade, linewidth=1.2)
        axes.annotate(
            f"{name}\nmean {short(mean)}, {count_of(len(values), 'pair')}",
            (mean, 1.06 * tallest),
            xytext=(-3 if index == 0 else 3, 0),
            textcoords="offset points",
            ha="right" if index == 0 else "left",
            va="bottom",
            color=shade,
            fontsize=SMALL,
            fontweight="bold",
        )
    axes.set_ylim(0, 1.28 * tallest)
    axes.set_yticks([])
    bare(axes, keep=["bottom"])
    axes.set_xlabel("Euclidean distance of the pair")
    axes.set_ylabel("share of pairs", color=MUTED)
    return figure
