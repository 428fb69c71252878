"""What scaling by a factor does, beside displacements of equal length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from polylens.figures.style import INK, MUTED, SMALL, canvas, picture, sentence, variant_style
from polylens.figures.words import fit_line, inches, tick

_ACROSS = 2


@dataclass(frozen=True)
class FactorCurve:
    """A mean at each factor; factors ascend."""

    factors: Float[np.ndarray, "factors"]
    values: Float[np.ndarray, "factors"]
    low: Float[np.ndarray, "factors"] | None = None
    high: Float[np.ndarray, "factors"] | None = None

    def through_one(self) -> FactorCurve:
        """The curve with the factor 1, where nothing is changed and every measure is 0.

        >>> curve = FactorCurve(np.array([0.5, 2.0]), np.array([0.3, 0.1])).through_one()
        >>> curve.factors.tolist(), curve.values.tolist()
        ([0.5, 1.0, 2.0], [0.3, 0.0, 0.1])
        """
        if (self.factors == 1).any():
            return self
        place = int(np.searchsorted(self.factors, 1.0))
        low, high = (None if one is None else np.insert(one, place, 0.0) for one in (self.low, self.high))
        factors, values = np.insert(self.factors, place, 1.0), np.insert(self.values, place, 0.0)
        return FactorCurve(factors, values, low, high)


@picture
def factor_curves(
    panels: Mapping[str, Mapping[str, tuple[FactorCurve, FactorCurve]]],
    *,
    heading: str,
    note: str = "",
    floors: Mapping[str, float] | None = None,
) -> Figure:
    """One panel a measure: by variant, scaling as a line with dots and displacement as a dashed one.

    Args:
        panels: by measure and variant, the curves of scaling and of displacement.
        heading: of the figure.
        note: what the reader must know beside what the lines are.
        floors: by measure, how far the axis of values reaches at least.
    """
    shown = {
        measure: {variant: pair for variant, pair in by.items() if np.isfinite(pair[0].values).any()}
        for measure, by in panels.items()
    }
    shown = {measure: by for measure, by in shown.items() if by}
    if not shown:
        return sentence(heading, "Nothing could be measured.")
    variants = list(dict.fromkeys(variant for by in shown.values() for variant in by))
    explained = (
        "Lines with marks: activations scaled by the factor. Dashed: moved as far in random directions."
        " Bands: intervals of scaling. The upright line is at 1, where nothing is changed."
    )
    across = min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = canvas(heading, note=f"{explained} {note}".strip(), key=variants, height=2.6 * down)
    grid = figure.subplots(down, across, squeeze=False)
    for index, axes in enumerate(grid.flat):
        if index >= len(shown):
            axes.set_axis_off()
            continue
        measure = list(shown)[index]
        _draw(axes, shown[measure], variants=variants, room=5.2 / across)
        axes.set_title(fit_line(measure, width=5.4 / across, size=SMALL, bold=True), fontsize=SMALL)
        if index + across >= len(shown):
            axes.set_xlabel("factor")
        high = max(_top(pair) for pair in shown[measure].values())
        top = max(1.08 * high, (floors or {}).get(measure, 0.0)) or 1.0
        # Room for marks at zero, which are what an exact result looks like.
        axes.set_ylim(-0.03 * top, top)
        axes.set_yticks([place for place in axes.get_yticks() if 0 <= place <= top])
    return figure


def _top(pair: Sequence[FactorCurve]) -> float:
    tops = [0.0]
    for curve in pair:
        known = [values for values in (curve.values, curve.high) if values is not None]
        tops += [float(np.nanmax(values)) for values in known if np.isfinite(values).any()]
    return max(tops)


def _draw(
    axes: Axes, by: Mapping[str, tuple[FactorCurve, FactorCurve]], *, variants: Sequence[str], room: float
) -> None:
    axes.axvline(1.0, color=MUTED, linewidth=0.8, zorder=1)
    for variant in reversed(list(by)):
        shade, marker = variant_style(variant, variants)
        scaled, displaced = (curve.through_one() for curve in by[variant])
        own = variant == "network"
        if scaled.low is not None and scaled.high is not None:
            axes.fill_between(
                scaled.factors, scaled.low, scaled.high, color=shade, alpha=0.16, linewidth=0, zorder=2
            )
        axes.plot(
            displaced.factors,
            displaced.values,
            color=shade,
            linestyle=(0, (3, 2)),
            linewidth=1.6 if own else 1.2,
            zorder=3,
        )
        axes.plot(
            scaled.factors,
            scaled.values,
            color=shade,
            marker=marker,
            markersize=5 if own else 4,
            markeredgecolor="white",
            markeredgewidth=0.6,
            linewidth=2.0 if own else 1.4,
            zorder=5 if own else 4,
        )
    factors = np.unique(np.concatenate([[1.0], *(pair[0].factors for pair in by.values())]))
    low, high = float(factors[0]), float(factors[-1])
    axes.set_xscale("log")
    axes.set_xlim(low / 1.1 if low < 1 else 0.9, high * 1.1 if high > 1 else 1.1)
    axes.xaxis.set_minor_locator(NullLocator())
    places = _names_of(factors.tolist(), room=room)
    axes.set_xticks(places, [_factor(place) for place in places])
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y")
    axes.tick_params(length=0, colors=INK)


def _factor(factor: float) -> str:
    return f"{factor:.3g}"


def _names_of(factors: Sequence[float], *, room: float) -> list[float]:
    """Factors that are named at an axis `room` inches long: 1, and from the ends inwards what finds room.

    >>> _names_of([0.1, 0.9, 1.0, 1.1, 2.0, 20.0], room=2.5)
    [0.1, 1.0, 2.0, 20.0]
    """
    span = math.log(max(factors)) - math.log(min(factors))
    kept = [1.0]
    for factor in sorted(set(factors) - {1.0}, key=lambda one: -abs(math.log(one))):
        apart = (
            (abs(math.log(factor / one)) / span * room, _width(factor) / 2 + _width(one) / 2) for one in kept
        )
        if all(distance >= wide + 0.08 for distance, wide in apart):
            kept.append(factor)
    return sorted(kept)


def _width(factor: float) -> float:
    return inches(_factor(factor), size=SMALL)
