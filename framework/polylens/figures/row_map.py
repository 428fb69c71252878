"""The rows in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from polylens.figures.placing import centres, free, top
from polylens.figures.style import DPI, NOISE_COLOUR, SMALL, WIDTH, bare, canvas, colour, picture, sentence
from polylens.figures.words import fit_line, inches, plain
from polylens.records import NOISE, count_clusters
from polylens.wording import count_of

_MOST_CLASSES = 12


@picture
def row_map(
    points: Float[np.ndarray, "rows 2"],
    *,
    labels: Int[np.ndarray, "rows"],
    targets: Int[np.ndarray, "rows"] | None,
    classes: Sequence[str],
    method: str,
) -> Figure:
    """The rows in two dimensions, coloured by cluster and, where there are classes, again by class.

    Args:
        points: place of each row; rows without a finite place are left out and counted.
        labels: cluster of each row; -1 is noise.
        targets: class of each row, an index into `classes`.
        classes: names.
        method: how the places came about, such as `PCA`.
    """
    method = plain(method, limit=70)
    finite = np.isfinite(points).all(axis=1)
    lost = int((~finite).sum())
    points, labels = points[finite], labels[finite]
    if not len(points):
        return sentence(f"Rows in two dimensions, {method}", "No row has a place in two dimensions.")
    n_clusters = count_clusters(labels)
    note = f"Two dimensions by {method}; rows in no cluster are light grey."
    if lost:
        note += f" {count_of(lost, 'row')} without a finite place left out."
    panels = [("by cluster", labels, {number: str(number) for number in range(n_clusters)})]
    if targets is not None and len(classes):
        groups, names, others = _largest(targets[finite], classes)
        panels.append(("by class", groups, names))
        if others:
            note += f" By class, the {_MOST_CLASSES} most common ones; the other {others:,} are light grey."
    width = (WIDTH - 0.2) / len(panels)
    low, high = points.min(axis=0), points.max(axis=0)
    reach = np.maximum(high - low, 1e-9 + 0.02 * (high - low).max())
    figure = canvas(
        f"{count_of(len(points), 'row')} in {count_of(n_clusters, 'cluster')}",
        note=note,
        height=float(np.clip(width * reach[1] / reach[0], 0.5 * width, min(1.05 * width, 5.2))) + 0.4,
    )
    for axes, (title, groups, _) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        _draw(axes, points, groups=groups, title=title)
    figure.draw_without_rendering()
    for axes, (_, groups, names) in zip(figure.axes, panels, strict=True):
        frame = axes.get_window_extent()
        # One unit is equally long in both directions, and all points are inside.
        unit = 1.1 * max(reach[0] / frame.width, reach[1] / frame.height)
        middle = (low + high) / 2
        axes.set_xlim(middle[0] - unit * frame.width / 2, middle[0] + unit * frame.width / 2)
        axes.set_ylim(middle[1] - unit * frame.height / 2, middle[1] + unit * frame.height / 2)
        _name(axes, points, groups=groups, names=names)
    return figure


def _largest(
    targets: Int[np.ndarray, "rows"], classes: Sequence[str]
) -> tuple[Int[np.ndarray, "rows"], dict[int, str], int]:
    """The most common classes as groups (the others as noise), their names, and how many others there are."""
    counts = np.bincount(targets[targets >= 0], minlength=len(classes))
    chosen = top(counts, most=_MOST_CLASSES)
    chosen = chosen[counts[chosen] > 0]
    groups = np.full(len(targets), NOISE)
    for number, target in enumerate(chosen):
        groups[targets == target] = number
    names = {number: str(classes[target]) for number, target in enumerate(chosen)}
    return groups, names, int((counts > 0).sum()) - len(chosen)


def _draw(
    axes: Axes, points: Float[np.ndarray, "rows 2"], *, groups: Int[np.ndarray, "rows"], title: str
) -> None:
    size = float(np.clip(420 / np.sqrt(len(points)), 0.8, 16))
    alpha = float(np.clip(2.85 - 0.68 * np.log10(len(points)), 0.3, 0.85))
    noise = groups == NOISE
    # In a fixed random order, so that no group hides another by coming last.
    shuffled = np.random.default_rng(0).permutation(len(points))
    grouped = shuffled[~noise[shuffled]]
    shades = [colour(number) for number in groups[grouped].tolist()]
    axes.scatter(points[noise, 0], points[noise, 1], s=size, c=NOISE_COLOUR, alpha=alpha, linewidths=0)
    axes.scatter(points[grouped, 0], points[grouped, 1], s=size, c=shades, alpha=alpha, linewidths=0)
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    bare(axes)
    axes.set_facecolor("#f8f9fa")


def _name(
    axes: Axes,
    points: Float[np.ndarray, "rows 2"],
    *,
    groups: Int[np.ndarray, "rows"],
    names: Mapping[int, str],
) -> None:
    """Writes each group's name at a member near its middle, the largest first, where there is room."""
    frame = axes.get_window_extent()
    taken: list[tuple[float, float, float, float]] = []
    sizes = np.bincount(groups[groups >= 0], minlength=len(names))
    for number in np.argsort(-sizes, kind="stable").tolist():
        if not sizes[number]:
            continue
        text = fit_line(names[number], width=min(1.3, frame.width / DPI - 0.1), size=SMALL, bold=True)
        half, tall = inches(text, size=SMALL, bold=True) * DPI / 2 + 2, 0.07 * DPI
        for point in centres(points, groups=groups, number=number):
            x, y = axes.transData.transform(point)
            x = float(np.clip(x, frame.x0 + half, frame.x1 - half))
            y = float(np.clip(y, frame.y0 + tall, frame.y1 - tall))
            box = (x - half, y - tall, x + half, y + tall)
            if free(box, taken):
                taken.append(box)
                left, bottom = axes.transAxes.inverted().transform((x, y))
                axes.text(
                    left,
                    bottom,
                    text,
                    transform=axes.transAxes,
                    fontsize=SMALL,
                    fontweight="bold",
                    ha="center",
                    va="center_baseline",
                    path_effects=[withStroke(linewidth=2.6, foreground="white")],
                    zorder=5,
                )
                break
