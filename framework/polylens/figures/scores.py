"""Scores beside their controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.dots import NO_NUMBER, draw_numbers, extent, is_known, lines_are, write_beside
from polylens.figures.style import RULE, SMALL, canvas, picture, sentence, variant_name, variant_style
from polylens.figures.words import fit_line, plain, tick
from polylens.records import Number
from polylens.wording import largest, series, short

_ACROSS = 3


@picture
def scores(
    numbers: Mapping[str, Mapping[str, Sequence[Number | None]]],
    *,
    title: str = "Scores beside their controls",
) -> Figure:
    """Every metric as a panel: for each variant a dot with its range, chance as an upright tick mark.

    Args:
        numbers: by metric and variant, one number a draw; None where a draw has none, such as purity without
            clusters.
        title: what is shown.
    """
    shown = {metric: by for metric, by in numbers.items() if any(by.values())}
    if not shown:
        return sentence(title, "There are no scores.")
    variants = list(dict.fromkeys(variant for by in shown.values() for variant in by))
    across = 2 if len(shown) in (2, 4) else min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = canvas(title, note=_note(shown), height=down * (0.27 * len(variants) + 0.62))
    grid = figure.subplots(down, across, squeeze=False, gridspec_kw={"wspace": 0.06, "hspace": 0.08})
    for index, axes in enumerate(grid.flat):
        if index >= len(shown):
            axes.set_axis_off()
            continue
        metric = list(shown)[index]
        _draw(axes, shown[metric], variants=variants, first=index % across == 0)
        unit = next((number.unit for number in _all(shown[metric]) if number.unit), "")
        words = metric.replace("_", " ") + (f" ({unit})" if unit else "")
        axes.set_title(fit_line(words, width=5.4 / across, size=SMALL, bold=True), fontsize=SMALL)
    return figure


def _draw(
    axes: Axes, by: Mapping[str, Sequence[Number | None]], *, variants: Sequence[str], first: bool
) -> None:
    everything = _all(by)
    whole = all(number.value == round(number.value) for number in everything if is_known(number.value))
    low, high = extent(everything)
    size = largest(number.reach for number in everything)
    reach = high - low
    axes.set_xlim(low - 0.03 * reach, high + 0.03 * reach)
    axes.set_ylim(len(variants) - 0.5, -0.5)
    for row, variant in enumerate(variants):
        shade, marker = variant_style(variant, variants)
        draws = list(by.get(variant, ()))
        axes.axhline(row, color="#eef1f3", linewidth=7, zorder=0, solid_capstyle="butt")
        draw_numbers(axes, numbers=draws, place=float(row), room=0.62, shade=shade, marker=marker)
        values = [number.value for number in draws if number is not None and is_known(number.value)]
        mean = _mean(values, whole=whole, beside=size)
        if values and len(values) < len(draws):
            mean = f"{mean} ({len(values)}/{len(draws)})"
        write_beside(axes, mean, place=float(row), x=1.03, shade=shade, own=variant == "network")
    axes.set_yticks(range(len(variants)), [variant_name(v) if first else "" for v in variants])
    axes.locator_params(axis="x", nbins=3)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _mean(values: Sequence[float], *, whole: bool, beside: float) -> str:
    if not values:
        return NO_NUMBER
    mean = sum(values) / len(values)
    return f"{mean:,.0f}" if whole and mean == round(mean) else short(mean, beside=beside)


def _all(by: Mapping[str, Sequence[Number | None]]) -> list[Number]:
    return [number for draws in by.values() for number in draws if number is not None]


def _note(numbers: Mapping[str, Mapping[str, Sequence[Number | None]]]) -> str:
    everything = [number for by in numbers.values() for number in _all(by)]
    parts = [*lines_are(everything)]
    if any(is_known(number.chance) for number in everything):
        kinds = series([plain(number.chance_is, limit=90) for number in everything])
        parts.append(f"Upright marks are chance ({kinds})." if kinds else "Upright marks are chance.")
    if any(len(draws) > 1 for by in numbers.values() for draws in by.values()):
        parts.append("Several dots in a row are several draws; the number is their mean.")
    if any(0 < len(_all({"": draws})) < len(draws) for by in numbers.values() for draws in by.values()):
        parts.append("In brackets: how many of the draws have the number, where some have none.")
    return " ".join(parts)
