"""The matplotlib figures behind the bytes, and what is written on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from polylens.figures import style
from polylens.figures.style import sheet


def laid_out(draw: Callable[..., bytes], *args: Any, **kwargs: Any) -> Figure:
    """The matplotlib figure behind the bytes, drawn once, so that every text has its place."""
    with sheet():
        figure: Figure = draw.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]
        FigureCanvasAgg(figure).draw()
    return figure


class _Noted(FigureCanvasAgg):
    """A canvas that remembers the last figure drawn on any of its kind."""

    last: Figure

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        _Noted.last = figure


def with_figure(draw: Callable[..., bytes], *args: Any, **kwargs: Any) -> tuple[bytes, Figure]:
    """The bytes, and the very figure that they are a picture of, which is drawn but once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "FigureCanvasAgg", _Noted)
        return draw(*args, **kwargs), _Noted.last


def axis_texts(axis: Axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * max(abs(low), abs(high), 1)
    ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    return [text for place, text in ticks if low - slack <= place <= high + slack and text.get_text()]


def texts(figure: Figure) -> list[Text]:
    found = list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                found += [axis.label, *axis_texts(axis)]
    if figure._supxlabel is not None:
        found.append(figure._supxlabel)
    return [text for text in found if text.get_text().strip() and text.get_visible()]
