"""Studies whose pictures nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from polylens.analyses import Analysis
from polylens.records import Figure
from polylens.store import save_figures
from polylens.study import drawing, overviews


@contextmanager
def undrawn() -> Iterator[None]:
    """Studies in the block draw no analysis, training, gallery or overview: a third of a small one's time.

    For tests that look at rows, numbers or stages alone: the stages of figures are performed all the same, on
    nothing. What is drawn of each kind of study is looked at by tests of its own.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.object(drawing.Drawing, "ask_ahead"))
        stack.enter_context(patch.object(drawing.Drawing, "_draw_training", _draw_nothing))
        stack.enter_context(patch.object(drawing, "draw_figures", return_value=()))
        stack.enter_context(patch.object(drawing, "gallery_of", return_value=None))
        stack.enter_context(patch.object(overviews, "_dots", return_value=()))
        yield


@contextmanager
def undrawn_but_for(kind: type[Analysis]) -> Iterator[None]:
    """Studies in the block draw no analysis but those of a kind; galleries, training and overviews they do.

    For tests that look at some pictures of a study, and of the others at what there is.
    """
    draw = drawing.draw_figures

    def draw_some(analysis: Analysis, *arguments: Any, **named: Any) -> tuple[Figure, ...]:
        return draw(analysis, *arguments, **named) if isinstance(analysis, kind) else ()

    with patch.object(drawing.Drawing, "ask_ahead"), patch.object(drawing, "draw_figures", draw_some):
        yield


def _draw_nothing(_: drawing.Drawing, folder: Path) -> None:
    save_figures(folder, [])
