"""How every figure looks: one sheet of settings, one palette, one way to become PNG bytes."""

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from polylens.figures.words import fit_line, inches, lines
from polylens.records import Mark

DPI = 160
WIDTH = 7.6
"""Inches: about 1,200 pixels, a readable size in MLflow's artifact view and in a page of text."""
SMALL = 9.0
"""Points of the smallest text."""

INK = "#1f2933"
MUTED = "#5b6672"
RULE = "#c9d0d6"
FAINT = "#eef1f3"
NOISE_COLOUR = "#cdd3d8"
STRONG = "#0b5fa5"
WARM = "#c9620a"

BLUES = LinearSegmentedColormap.from_list(
    "polylens", ["#f6f8fa", "#cfe0ef", "#8ab8dc", "#3583c0", "#0b5fa5", "#08437a"]
)
"""Shares and counts: from nothing (nearly white) to all (deep blue)."""

CYCLE = (
    "#2f6db5", "#e08214", "#2b9b7b", "#b8519a", "#8c6d1f", "#6a51a3",
    "#58b4e0", "#a63d2f", "#84a52c", "#e36f8a", "#2f7382", "#9a8fc7",
)  # fmt: skip
"""Colours of clusters and classes; beyond twelve they repeat and the labels tell them apart."""

_MOST_NOTE_LINES = 6
_MARKS = {"network": Mark(STRONG, "o"), "raw_inputs": Mark("#3c444c", "X")}
"""What is in every study; controls bring their own marks (`use_marks`)."""
_OTHERS = (Mark("#6f7a84", "P"), Mark("#b98a5a", "p"), Mark("#4d5761", "h"), Mark("#9aa3ab", "*"))
_marks: ContextVar[Mapping[str, Mark]] = ContextVar("marks", default={})  # noqa: B039  (never written to)

_behind: ContextVar[dict[bytes, Figure] | None] = ContextVar("behind", default=None)

_SETTINGS: dict[str, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9.5,
    "axes.titlecolor": INK,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": "#e4e8eb",
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.10,
}

Arguments = ParamSpec("Arguments")


def picture(draw: Callable[Arguments, Figure]) -> Callable[Arguments, bytes]:
    """A function that gives the PNG bytes of what `draw` draws, whatever the user's matplotlib settings.

    The same arguments give the same bytes: no date, no version, no state kept from figure to figure.
    """

    @functools.wraps(draw)
    def as_png(*args: Arguments.args, **kwargs: Arguments.kwargs) -> bytes:
        with sheet():
            figure = draw(*args, **kwargs)
            if _behind.get() is None:  # to figures that are handed on, labels may be added
                _place_no_missing_labels(figure)
            # `savefig` would draw everything twice, the first time for the layout alone.
            surface = FigureCanvasAgg(figure)
            surface.draw()  # type: ignore[no-untyped-call]
            pixels = np.asarray(surface.buffer_rgba())  # type: ignore[no-untyped-call]
        png, behind = _png(pixels), _behind.get()
        if behind is not None:
            behind[png] = figure
        return png

    as_png.__annotations__ = {**draw.__annotations__, "return": "bytes"}
    # `wraps` points back at `draw`, whose signature is shown and gives a figure: this one gives bytes.
    signature = inspect.signature(draw).replace(return_annotation="bytes")
    as_png.__signature__ = signature  # type: ignore[attr-defined]
    return as_png


def _place_no_missing_labels(figure: Figure) -> None:
    """Gives empty labels a fixed place: to find one, matplotlib measures all names at an axis once more."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0.5, 0.5)


def _png(pixels: np.ndarray) -> bytes:
    # Without the fourth channel, as nothing is transparent: as small as matplotlib's own, in half the time.
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(stream, "PNG", dpi=(DPI, DPI), compress_level=3)
    return stream.getvalue()


@contextmanager
def figures_behind() -> Iterator[dict[bytes, Figure]]:
    """Gathers the matplotlib figure behind each picture that is drawn in the block, by its PNG bytes."""
    figures: dict[bytes, Figure] = {}
    token = _behind.set(figures)
    try:
        yield figures
    finally:
        _behind.reset(token)


def sheet() -> AbstractContextManager[None]:
    """A context in which matplotlib's own defaults and this room's settings hold, and nobody else's."""
    settings: dict[Any, Any] = {key: value for key, value in mpl.rcParamsDefault.items() if key != "backend"}
    settings.update(_SETTINGS)
    return mpl.rc_context(settings)


def canvas(
    heading: str, *, note: str = "", key: Sequence[str] = (), height: float, width: float = WIDTH
) -> Figure:
    """A figure with its heading, and `height` inches for what is drawn below it.

    Args:
        heading: what the figure shows, if possible with the numbers that matter.
        note: what the reader must know to read it, smaller.
        key: variants to be named beside their markers.
        height: inches below the heading.
        width: inches.
    """
    margin, gap = 0.12, 0.08
    head = [(line, 11.5, True) for line in lines(heading, width=width - 2 * margin, size=11.5, bold=True)]
    head += [
        (line, SMALL, False)
        for line in lines(note, width=width - 2 * margin, size=SMALL, most=_MOST_NOTE_LINES)
    ]
    keys = _key_lines(key, width=width - 2 * margin)
    tall = margin + sum(0.022 * size for _, size, _ in head) + 0.24 * len(keys) + gap
    figure = Figure(figsize=(width, tall + height), dpi=DPI, layout="constrained")
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.set(rect=(0.0, 0.0, 1.0, height / (tall + height)))  # type: ignore[call-arg]
    top = tall + height - margin
    for line, size, bold in head:
        figure.text(
            margin / width,
            top / (tall + height),
            line,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            color=INK if bold else MUTED,
            va="top",
        )
        top -= 0.022 * size
    _draw_key(figure, keys, variants=key, left=margin, top=top - 0.02)
    return figure


def sentence(heading: str, text: str) -> Figure:
    """A small figure that says why there is nothing to draw."""
    figure = canvas(heading, height=0.75)
    axes = figure.add_subplot()
    axes.set_axis_off()
    wrapped = "\n".join(lines(text, width=WIDTH - 0.5, size=10.0))
    axes.text(0.0, 0.5, wrapped, transform=axes.transAxes, color=MUTED, fontsize=10, va="center")
    return figure


def variant_name(variant: str) -> str:
    """The words for a variant.

    >>> variant_name("random_init")
    'random init'
    """
    return fit_line(variant.replace("_", " "), width=1.4, size=SMALL)


@contextmanager
def use_marks(marks: Mapping[str, Mark]) -> Iterator[None]:
    """Draws variants of these names by these marks, in the block."""
    token = _marks.set(marks)
    try:
        yield
    finally:
        _marks.reset(token)


def variant_style(variant: str, variants: Sequence[str]) -> tuple[str, str]:
    """Colour and marker of a variant; those without a mark take quiet ones in their order."""
    marks = {**_marks.get(), **_MARKS}
    without = [name for name in variants if name not in marks]
    mark = marks.get(variant) or _OTHERS[(without.index(variant) if variant in without else 0) % len(_OTHERS)]
    return mark.colour, mark.marker


def colour(number: int) -> str:
    """Colour of a cluster or class by its number; noise is light grey."""
    return NOISE_COLOUR if number < 0 else CYCLE[number % len(CYCLE)]


def bare(axes: Axes, *, keep: Sequence[str] = ()) -> None:
    """Takes the frame and the tick marks away, but for the named spines."""
    for name, spine in axes.spines.items():
        spine.set_visible(name in keep)
    axes.tick_params(which="both", length=0)


def _key_lines(variants: Sequence[str], *, width: float) -> list[list[tuple[str, float]]]:
    """Each line of the key as pairs of variant and its left edge in inches."""
    lines: list[list[tuple[str, float]]] = []
    left = width
    for variant in variants:
        wide = 0.22 + inches(variant_name(variant), size=SMALL) + 0.24
        if not lines or left + wide > width:
            lines.append([])
            left = 0.0
        lines[-1].append((variant, left))
        left += wide
    return lines


def _draw_key(
    figure: Figure, keys: list[list[tuple[str, float]]], *, variants: Sequence[str], left: float, top: float
) -> None:
    if not keys:
        return
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), in_layout=False)
    axes.set_axis_off()
    for number, line in enumerate(keys):
        middle = top - 0.24 * number - 0.09
        for variant, start in line:
            shade, marker = variant_style(variant, variants)
            axes.plot(left + start + 0.07, middle, marker, color=shade, markersize=6)
            axes.text(
                left + start + 0.19, middle, variant_name(variant), fontsize=SMALL, va="center_baseline"
            )
