"""Scores of several families side by side, each beside its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.dots import NO_NUMBER, draw_numbers, extent, is_known, lines_are, write_beside
from polylens.figures.style import RULE, SMALL, canvas, picture, sentence, variant_style
from polylens.figures.words import fit_line, lines, tick
from polylens.records import Number
from polylens.wording import largest, short

_STEP = 0.19
"""Inches from one variant to the next."""
_MOST = 40
"""Most families drawn."""


@picture
def family_scores(
    numbers: Mapping[str, Mapping[str, Mapping[str, Sequence[Number]]]], *, title: str, note: str = ""
) -> Figure:
    """A panel a score; in each a band a family, and in a band a dot a variant, chance as an upright mark.

    Args:
        numbers: by score, family and variant, one number a draw. A family that a score is not of is left out.
        title: what is compared.
        note: what the reader must know, before what lines and marks are.
    """
    panels = {
        name: by
        for name, by in numbers.items()
        if any(is_known(each.value) for draws in by.values() for own in draws.values() for each in own)
    }
    if not panels:
        return sentence(title, "There are no scores to compare.")
    families = list(dict.fromkeys(family for by in panels.values() for family in by))[:_MOST]
    variants = list(
        dict.fromkeys(variant for by in panels.values() for own in by.values() for variant in own)
    )
    everything = [
        each for by in panels.values() for own in by.values() for draws in own.values() for each in draws
    ]
    band = _STEP * len(variants) + 0.14
    figure = canvas(
        title,
        note=_note(note, everything),
        key=variants,
        height=band * len(families) + 0.78,
    )
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True, gridspec_kw={"wspace": 0.05})
    for axes, (name, by) in zip(grid.flat, panels.items(), strict=True):
        _draw(axes, by, families=families, variants=variants, band=band)
        unit = next((each.unit for own in by.values() for ns in own.values() for each in ns if each.unit), "")
        words = name.replace("_", " ") + (f" ({unit})" if unit else "")
        wrapped = lines(words, width=5.6 / len(panels), size=SMALL, bold=True, most=2)
        axes.set_title("\n".join(wrapped), fontsize=SMALL)
    return figure


def _draw(
    axes: Axes,
    by: Mapping[str, Mapping[str, Sequence[Number]]],
    *,
    families: Sequence[str],
    variants: Sequence[str],
    band: float,
) -> None:
    everything = [each for own in by.values() for draws in own.values() for each in draws]
    low, high = extent(everything)
    size = largest(each.reach for each in everything)
    reach = high - low
    axes.set_xlim(low - 0.03 * reach, high + 0.03 * reach)
    axes.set_ylim(len(families) - 0.5, -0.5)
    for row, family in enumerate(families):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color="#f6f8f9", zorder=0, linewidth=0)
        for index, variant in enumerate(variants if family in by else ()):
            shade, marker = variant_style(variant, variants)
            place = row + (index - (len(variants) - 1) / 2) * _STEP / band
            draws = list(by.get(family, {}).get(variant, ()))
            draw_numbers(
                axes, numbers=draws, place=place, room=0.6 * _STEP / band, shade=shade, marker=marker
            )
            values = [each.value for each in draws if is_known(each.value)]
            mean = short(sum(values) / len(values), beside=size) if values else NO_NUMBER
            write_beside(axes, mean, place=place, x=1.03, shade=shade, own=variant == "network")
    axes.set_yticks(range(len(families)), [fit_line(each, width=1.3, size=SMALL) for each in families])
    axes.locator_params(axis="x", nbins=3)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _note(note: str, numbers: Sequence[Number]) -> str:
    parts = [note] if note else []
    parts += lines_are(numbers)
    if any(is_known(each.chance) for each in numbers):
        parts.append("Upright marks are chance.")
    return " ".join(parts)
