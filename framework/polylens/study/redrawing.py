"""Figures of a run drawn anew from the store, as matplotlib figures: for vector files and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from polylens.analyses import Analysis
from polylens.controls import Control
from polylens.study.stored_run import StoredRun

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure


def redrawn(
    name: str,
    *,
    stored: StoredRun,
    analyses: Mapping[str, Analysis],
    controls: Mapping[str, Control],
    history: Callable[[], pd.DataFrame],
) -> MatplotlibFigure | None:
    """The matplotlib figure of one of a run's figures; None where it is no drawing of one of its analyses.

    Args:
        name: of the figure, such as `quality-scores`.
        stored: what the store has of the run.
        analyses: of its spec, by name.
        controls: of its spec, by name: each is drawn by its mark.
        history: the table of its training, asked for where that is drawn.
    """
    from polylens.figures import training_curve
    from polylens.figures.style import figures_behind
    from polylens.study.ahead import draw_figures
    from polylens.study.drawing import marks_of

    with figures_behind() as behind:
        if name == "training":
            return behind[training_curve(history())]
        # An analysis may be called `a` and another one `a-b`.
        for analysis in sorted(
            (key for key in analyses if name.startswith(f"{key}-")), key=len, reverse=True
        ):
            kind = analyses[analysis]
            outcomes = stored.outcomes(analysis, kind.upstream())
            for figure in draw_figures(kind, outcomes, marks=marks_of(controls), subject=""):
                if f"{analysis}-{figure.name}" == name:
                    return behind.get(figure.png)
    return None
