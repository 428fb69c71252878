"""Figures of a run drawn anew from the store, as matplotlib figures: for vector files and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from polylens.analyses import Analysis
from polylens.controls import Control
from polylens.records import Figure
from polylens.scores import Score
from polylens.study.stored_run import StoredRun

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure


def redrawn(
    name: str,
    *,
    stored: StoredRun,
    analyses: Mapping[str, Analysis],
    scores: Mapping[str, Score],
    controls: Mapping[str, Control],
    history: Callable[[], pd.DataFrame],
) -> MatplotlibFigure | None:
    """The matplotlib figure of one of a run's figures; None where it is no drawing of its analyses or scores.

    Args:
        name: of the figure, such as `quality-scores`.
        stored: what the store has of the run.
        analyses: of its spec, by name.
        scores: of its spec, by name.
        controls: of its spec, by name: each is drawn by its mark.
        history: the table of its training, asked for where that is drawn.
    """
    from polylens.figures import training_curve
    from polylens.figures.style import figures_behind

    with figures_behind() as behind:
        if name == "training":
            return behind[training_curve(history())]
        # An analysis may be called `a` and another one `a-b`.
        members = sorted((key for key in (*analyses, *scores) if name.startswith(f"{key}-")), key=len)
        for member in reversed(members):
            for figure in _figures_of(member, stored, analyses, scores, controls):
                if f"{member}-{figure.name}" == name:
                    return behind.get(figure.png)
    return None


def _figures_of(
    member: str,
    stored: StoredRun,
    analyses: Mapping[str, Analysis],
    scores: Mapping[str, Score],
    controls: Mapping[str, Control],
) -> tuple[Figure, ...]:
    """The figures of an analysis or a score."""
    from polylens.figures import use_marks
    from polylens.study.drawing import marks_of

    with use_marks(marks_of(controls)):
        if member in analyses:
            kind = analyses[member]
            return kind.draw(stored.outcomes(member, kind.upstream()), subject="")
        return scores[member].draw(stored.score_outcomes(member), subject="")
