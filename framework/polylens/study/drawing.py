"""Pictures of one child: the training, each analysis beside its controls, each cluster's examples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from polylens.controls import Control
from polylens.records import Figure, Mark
from polylens.report import ClusterCards
from polylens.store import load_figures, save_figures
from polylens.study.ahead import draw_figures
from polylens.study.cards import IN_GALLERY, cards_of, gallery_of
from polylens.study.looks import looks_of_figures
from polylens.study.returned import checked_figures
from polylens.study.stages import Stage
from polylens.study.subject import subject_of, title_of
from polylens.study.walk import Walk


def marks_of(controls: Mapping[str, Control]) -> dict[str, Mark]:
    """How each control is shown, by its name in the spec; of two of one kind only the first has a mark."""
    marks: dict[str, Mark] = {}
    for name, control in controls.items():
        if control.mark is not None and control.mark not in marks.values():
            marks[name] = control.mark
    return marks


class Drawing:
    """Draws what a walk has found; pictures are stages too, so that restyling one recomputes no number."""

    def __init__(self, walk: Walk, *, without: Collection[str] = ()) -> None:
        """Prepares the pictures of a walk, all but the stages of figures named in `without`."""
        self.walk = walk
        self._without = without
        self._own = walk.own
        self._asked: dict[str, Future[tuple[Figure, ...]]] = {}
        # The gallery and the page show the same examples.
        self._context = cache(walk.plan.examples.context)

    def all_figures(self) -> None:
        """Draws everything that the store lacks, or takes what a second process drew."""
        for stage, work in self._stages():
            self.walk.performer.perform(stage, work)

    def ask_ahead(self) -> None:
        """Lets a second process begin with what the store lacks, at the other end."""
        lacking = [name for name in self._own.analyses if name not in self._without]
        lacking = [name for name in lacking if not self.walk.performer.is_stored(self._stage(name))]
        for name in reversed(lacking[1:]):  # the first is drawn here
            # What goes wrong here goes wrong in the stage as well, which says where.
            with suppress(Exception):
                analysis, outcomes = self._own.analyses[name].analysis, self.walk.outcomes(name)
                self._asked[name] = self.walk.workshop.ahead.draw(
                    analysis, outcomes, marks=self.marks, subject=self.subject
                )

    @property
    def _subject_names(self) -> list[str]:
        """What captions call the network, its layer and the dataset: names that are no part of any number."""
        return [title_of(self.walk.plan), self.walk.plan.names["dataset"]]

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """How each control is shown, by its name in the spec; of two of one kind only the first."""
        return marks_of({named.name: named.control for named in self.walk.plan.experiment.controls})

    def figure_stages(self) -> tuple[Stage, ...]:
        """The stages that `figures` reads."""
        return tuple(stage for stage, _ in self._stages())

    def figures(self) -> tuple[Figure, ...]:
        """Every picture, the training first, then analysis by analysis."""
        return tuple(figure for stage, work in self._stages() for figure in self._read(stage, work))

    @cached_property
    def subject(self) -> str:
        """The sentence every caption ends with."""
        return subject_of(self.walk.plan, self.walk.rows(self._own))

    def cards(self, name: str, *, most: int | None = None) -> ClusterCards | None:
        """The clusters of one analysis as people see them, or its `most` largest; None if it gives none."""
        partition = self.walk.findings(self._own, name).partition
        if partition is None:
            return None
        labelled = next(
            ((key, item) for key, item in self._own.labels.items() if item.label.shows(name)),
            None,
        )
        return cards_of(
            name,
            partition,
            rows=self.walk.rows(self._own),
            context=self._context,
            labels=None if labelled is None else self.walk.naming.labels(self._own, labelled[0]),
            label=None if labelled is None else labelled[1].label,
            streams=self._own.streams.child("report"),
            most=most,
        )

    def _stages(self) -> list[tuple[Stage, Callable[[Path], None]]]:
        training = self._own.training
        first = [] if training is None else [(self._training_stage(training), self._draw_training)]
        stages = [*first, *((self._stage(name), self._drawer(name)) for name in self._own.analyses)]
        stages += [(self._score_stage(name), self._score_drawer(name)) for name in self._own.drawn_scores]
        return [(stage, work) for stage, work in stages if stage.name not in self._without]

    def _stage(self, name: str) -> Stage:
        outcomes = [
            f"{variant.title}:{variant.analyses[name].stage.digest}"
            for variant in self.walk.plan.variants
            if name in variant.analyses
        ]
        identity = {
            "analysis": self._own.analyses[name].analysis.identity(),
            "outcomes": outcomes,
            "subject": self._subject_names,
            "looks": looks_of_figures(type(self._own.analyses[name].analysis)),
            "marks": self._marks_identity,
        }
        return Stage("figures", f"{name}.figures", identity, path=f"analyses.{name}")

    def _score_stage(self, name: str) -> Stage:
        outcomes = [
            f"{variant.title}:{variant.scores[name].stage.digest}"
            for variant in self.walk.plan.variants
            if name in variant.scores
        ]
        planned = self._own.scores[name]
        identity = {
            "score": planned.score.identity(),
            "outcomes": outcomes,
            "subject": self._subject_names,
            "looks": looks_of_figures(type(planned.score)),
            "marks": self._marks_identity,
        }
        return Stage("figures", f"{name}.figures", identity, path=f"scores.{name}")

    @property
    def _marks_identity(self) -> dict[str, list[str]]:
        return {control: [mark.colour, mark.marker] for control, mark in self.marks.items()}

    def _training_stage(self, training: Stage) -> Stage:
        identity = {
            "training": training.digest,
            "subject": self._subject_names,
            "looks": looks_of_figures(Drawing),
        }
        return Stage("figures", "train.figures", identity, path="model.training")

    def _drawer(self, name: str) -> Callable[[Path], None]:
        def work(folder: Path) -> None:
            def here() -> tuple[Figure, ...]:
                analysis, outcomes = self._own.analyses[name].analysis, self.walk.outcomes(name)
                return draw_figures(analysis, outcomes, marks=self.marks, subject=self.subject)

            asked = self._asked.pop(name, None)
            drawn = here() if asked is None else self.walk.workshop.ahead.figures(asked, here)
            figures = [*checked_figures(self._own.analyses[name].analysis, drawn)]
            cards = self.cards(name, most=IN_GALLERY)
            if cards is not None and (gallery := gallery_of(cards, subject=self.subject)) is not None:
                figures.append(gallery)
            # Two analyses of one kind draw figures of one name.
            save_figures(folder, [replace(figure, name=f"{name}-{figure.name}") for figure in figures])

        return work

    def _score_drawer(self, name: str) -> Callable[[Path], None]:
        def work(folder: Path) -> None:
            from polylens.figures import use_marks

            planned, outcomes = self._own.scores[name], self.walk.naming.score_outcomes(name)
            with use_marks(self.marks):
                figures = checked_figures(planned.score, planned.score.draw(outcomes, subject=self.subject))
            save_figures(folder, [replace(figure, name=f"{name}-{figure.name}") for figure in figures])

        return work

    def _draw_training(self, folder: Path) -> None:
        from polylens.figures import training_curve

        history = self.walk.learning.history()
        if history is None:
            return
        names = self.walk.plan.names
        figure = Figure(
            name="training",
            title="Training",
            caption=f"Loss and accuracy on the training examples after each epoch. {names['model']} trained "
            f"on {names['dataset']}, seed {self._own.recipe.seed}.",
            png=training_curve(history),
            alt="Loss falling and accuracy rising over the epochs of the training.",
        )
        save_figures(folder, [figure])

    def _read(self, stage: Stage, work: Callable[[Path], None]) -> tuple[Figure, ...]:
        performer = self.walk.performer
        return performer.read(
            lambda: load_figures(performer.open(stage)), again=lambda: performer.perform(stage, work)
        )
