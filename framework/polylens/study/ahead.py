"""What a second process does while the walk goes on: kernels are compiled there, and pictures drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import numpy as np

from polylens.analyses import Analysis, Outcome
from polylens.companion import Companion
from polylens.imports import lightning
from polylens.records import Figure, Mark
from polylens.store import Store
from polylens.study.plans import ChildPlan

_MOST_BYTES = 1 << 26
"""Bytes of rows that are sent at most: more would take longer to send than most pictures to draw."""


class Ahead:
    """Gives work to a second process, where there is a core for it. Without one everything is as it is."""

    def __init__(self) -> None:
        self.companion = Companion()
        """The second process."""
        self._rehearsal: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.companion.__exit__(kind, error, trace)

    def warm_up(self) -> None:
        """Lets the second process import what every training and harvest needs, which takes seconds."""
        self.companion.ahead(_warm_up)

    def rehearse(self, plans: Sequence[ChildPlan], store: Store) -> None:
        """Lets the second process compile, once, the kernels of those analyses that the store lacks."""
        if self._rehearsal is not None:
            return
        analyses = {
            repr(planned.analysis): planned.analysis
            for plan in plans
            for variant in plan.variants
            for analysis in variant.analyses.values()
            for planned in analysis.in_order()
            if type(planned.analysis).rehearse is not Analysis.rehearse
            and not store.has(planned.stage.kind, planned.stage.digest)
        }
        if analyses:
            self._rehearsal = self.companion.ahead(_rehearse, tuple(analyses.values()))

    def settle(self) -> None:
        """Waits until nothing is being compiled: to compile the same here at once would take as long."""
        if self._rehearsal is not None:
            self.companion.settle(self._rehearsal)

    def draw(
        self,
        analysis: Analysis,
        outcomes: Mapping[str, tuple[Outcome, ...]],
        *,
        marks: Mapping[str, Mark],
        subject: str,
    ) -> Future[tuple[Figure, ...]]:
        """Lets the second process draw an analysis, unless its rows are more than are worth sending."""
        if _weight(outcome for draws in outcomes.values() for outcome in draws) > _MOST_BYTES:
            return Future()
        return self.companion.ahead(draw_figures, analysis, outcomes, marks=marks, subject=subject)

    def figures(
        self, asked: Future[tuple[Figure, ...]], here: Callable[[], tuple[Figure, ...]]
    ) -> tuple[Figure, ...]:
        """The figures that were asked for; drawn here where that has not begun."""
        return self.companion.result(asked, here)


def _warm_up() -> None:
    lightning()


def _rehearse(analyses: Iterable[Analysis]) -> None:
    for analysis in analyses:
        analysis.rehearse()


def draw_figures(
    analysis: Analysis,
    outcomes: Mapping[str, tuple[Outcome, ...]],
    *,
    marks: Mapping[str, Mark],
    subject: str,
) -> tuple[Figure, ...]:
    """An analysis's figures, its variants shown by these marks."""
    from polylens.figures import use_marks

    with use_marks(marks):
        return analysis.draw(outcomes, subject=subject)


def _weight(outcomes: Iterable[Outcome]) -> int:
    """Bytes of the rows' arrays."""
    parts = [part for outcome in outcomes for part in (outcome.rows, outcome.rows.codes) if part is not None]
    return sum(array.nbytes for part in parts for array in _arrays(part))


def _arrays(part: Any) -> Iterable[np.ndarray]:
    return (value for value in vars(part).values() if isinstance(value, np.ndarray))
