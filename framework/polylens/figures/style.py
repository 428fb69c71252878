"""How every figure looks: one sheet of settings, one palette, one way to become PNG bytes."""

from __future__ import annotations

import functools
import io
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from polylens.figures.words import plain, wrapped

DPI = 160
WIDTH = 7.6
"""Inches: about 1,200 pixels, which MLflow's artifact view and a page of text both show at a readable size."""

INK = "#1f2933"
MUTED = "#5b6672"
RULE = "#c9d0d6"
FAINT = "#eef1f3"
NOISE_COLOUR = "#cfd4d8"
STRONG = "#0b5fa5"
WARM = "#d1690e"

CYCLE = (
    "#3b6fb6", "#d1690e", "#2a8f72", "#b0508f", "#c9a227", "#6b4fa0",
    "#58a9d6", "#8a4b2a", "#7f9a2b", "#c2455a", "#2f6f7a", "#9a8fb8",
)  # fmt: skip
"""Colours of clusters and classes; beyond twelve they repeat and the labels tell them apart."""

_VARIANTS = {
    "network": (STRONG, "o"),
    "random_init": (WARM, "s"),
    "shuffled_weights": ("#8b949c", "D"),
    "random_labels": ("#a98416", "^"),
    "second_seed": ("#5aa2d8", "v"),
    "raw_inputs": ("#3c444c", "X"),
}
_OTHERS = (("#6f7a84", "P"), ("#b98a5a", "p"), ("#4d5761", "h"), ("#9aa3ab", "*"))

_SETTINGS: dict[str, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.titlesize": 10,
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
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.08,
}

Arguments = ParamSpec("Arguments")


def picture(draw: Callable[Arguments, Figure]) -> Callable[Arguments, bytes]:
    """A function that gives the PNG bytes of the figure that `draw` makes, whatever the user's matplotlib settings.

    The same arguments give the same bytes: no date, no version, no state kept between figures.
    """

    @functools.wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> bytes:
        with mpl.rc_context():
            mpl.rcParams.update({k: v for k, v in mpl.rcParamsDefault.items() if k != "backend"})
            mpl.rcParams.update(_SETTINGS)
            figure = draw(*args, **kwargs)
            stream = io.BytesIO()
            FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})
        return stream.getvalue()

    return drawn


def canvas(heading: str, *, note: str = "", height: float, width: float = WIDTH) -> Figure:
    """An empty figure with its heading, `height` inches for what is drawn below it."""
    head_lines = wrapped(heading, width=68)
    note_lines = wrapped(note, width=95) if note else []
    head = 0.14 + 0.23 * len(head_lines) + 0.18 * len(note_lines) + 0.06
    total = head + height
    figure = Figure(figsize=(width, total), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(rect=(0.0, 0.0, 1.0, height / total))
    top = total - 0.12
    for line in head_lines:
        figure.text(0.12 / width, top / total, line, fontsize=11.5, fontweight="bold", va="top")
        top -= 0.23
    for line in note_lines:
        figure.text(0.12 / width, top / total, line, fontsize=9, color=MUTED, va="top")
        top -= 0.18
    return figure


def sentence(heading: str, text: str) -> Figure:
    """A small figure that says why there is nothing to draw."""
    figure = canvas(heading, note="", height=0.75)
    axes = figure.add_subplot()
    axes.set_axis_off()
    lines = "\n".join(textwrap.wrap(plain(text), 90))
    axes.text(0.0, 0.5, lines, transform=axes.transAxes, color=MUTED, fontsize=10, va="center")
    return figure


def variant_name(variant: str) -> str:
    """The words for a variant, such as `random init`."""
    return plain(variant.replace("_", " "), limit=28)


def variant_style(variant: str, variants: Sequence[str]) -> tuple[str, str]:
    """Colour and marker of a variant; unknown ones take greys in their order."""
    if variant in _VARIANTS:
        return _VARIANTS[variant]
    unknown = [name for name in variants if name not in _VARIANTS]
    return _OTHERS[(unknown.index(variant) if variant in unknown else 0) % len(_OTHERS)]


def bare(axes: Axes, *, keep: Sequence[str] = ()) -> None:
    """Takes away the frame and the tick marks, but for the named spines."""
    for name, spine in axes.spines.items():
        spine.set_visible(name in keep)
    axes.tick_params(length=0)


def colour(number: int) -> str:
    """Colour of a cluster or class by its number; noise is light grey."""
    return NOISE_COLOUR if number < 0 else CYCLE[number % len(CYCLE)]
