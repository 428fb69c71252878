"""The walk of one child: train, harvest, analyse, label, draw. What the store has is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from polylens.analyses import Outcome
from polylens.assembly import Recipe, assemble
from polylens.devices import Options
from polylens.errors import DataError, PolylensError, StageError, StoreError
from polylens.harvest import Take, harvest, load_rows
from polylens.progress import Progress, Task, Under
from polylens.records import Figure, Findings, Labels, Network, Number, Rows
from polylens.report import ClusterCards
from polylens.store import (
    Store,
    load_figures,
    load_findings,
    load_labels,
    load_number,
    save_figures,
    save_findings,
    save_labels,
    save_number,
)
from polylens.streams import Streams
from polylens.study.cards import cards_of, gallery_of
from polylens.study.planning import ChildPlan, VariantPlan
from polylens.study.stages import Stage, figures_stage
from polylens.study.subject import subject_of, title_of

Result = TypeVar("Result")


@dataclass(frozen=True)
class StageReport:
    """What became of one stage."""

    name: str
    status: str
    """`ran`, `stored` or `failed`."""
    seconds: float


@dataclass(frozen=True)
class Workplace:
    """Everything the walk works with, the same for all children of a study."""

    store: Store
    root: Path
    options: Options
    progress: Progress
    plans: Sequence[ChildPlan]
    """All children, so that a forward pass can serve every one that needs it."""


class Walk:
    """The walk of one child. Keeps nothing but reports and the network at hand."""

    def __init__(self, plan: ChildPlan, place: Workplace, *, stages: Task | None = None) -> None:
        self.plan = plan
        self.place = place
        self._stages_done = stages
        self.reports: dict[str, StageReport] = {}
        self._network: tuple[Recipe, Network] | None = None

    def all_stages(self) -> None:
        """Does everything the child asks for, in order."""
        for variant in self.plan.variants:
            self.train(variant)
            self.score_accuracy(variant)
            self.harvest(variant)
            for name in variant.analyses:
                self.analyse(variant, name)
            for name in variant.labels:
                self.label(variant, name)
        for name in self.plan.own.analyses:
            self.draw(name)

    def train(self, variant: VariantPlan) -> None:
        """Trains the variant's network, where the model is trained here and the store lacks the weights."""
        stage = variant.training
        if stage is None:
            return

        def work(folder: Path) -> None:
            from polylens.training import fit

            recipe = variant.recipe
            training = recipe.weighted_model.recipe()
            if training is None or self.plan.train_examples is None:
                raise AssertionError("a training stage is only planned for models trained here")
            streams = recipe.weight_streams
            fit(
                recipe.weighted_model.build(streams.torch_generator("weights")),
                self.plan.train_examples,
                training=training,
                streams=streams,
                folder=folder,
                options=self.place.options,
                progress=self._progress(stage),
            )

        self._perform(stage, work)

    def score_accuracy(self, variant: VariantPlan) -> None:
        """Scores the variant's network on the spec's examples."""
        stage = variant.accuracy
        if stage is None:
            return

        def work(folder: Path) -> None:
            from polylens.training import accuracy

            number = accuracy(self._assembled(variant), self.plan.examples, options=self.place.options)
            save_number(folder, number)

        self._perform(stage, work)

    def harvest(self, variant: VariantPlan) -> None:
        """Harvests what is missing of the variant's rows, for all children in one forward pass."""
        for planned in variant.takes.values():
            if self._stored(planned.stage):
                self._report(planned.stage, "stored", 0.0)
        missing = self._missing_takes(variant)
        if not missing:
            return
        with self._reporting([stage for stage, _ in missing]):
            harvest(
                self._assembled(variant),
                self.plan.examples,
                [take for _, take in missing],
                recipe=variant.recipe,
                streams=Streams(variant.recipe.seed),
                store=self.place.store,
                root=self.place.root,
                options=self.place.options,
                progress=self._progress(missing[0][0]),
                about={stage.digest: stage.about() for stage, _ in missing},
            )

    def analyse(self, variant: VariantPlan, name: str) -> None:
        """Runs one analysis on the variant's rows."""
        planned = variant.analyses[name]

        def work(folder: Path) -> None:
            findings = planned.analysis.run(
                self.rows(variant),
                streams=self._streams(variant).child(planned.analysis.kind()),
                upstream={up: self.findings(variant, up) for up in planned.analysis.upstream()},
                progress=self._progress(planned.stage),
            )
            save_findings(folder, findings)

        self._perform(planned.stage, work)

    def label(self, variant: VariantPlan, name: str) -> None:
        """Labels the clusters of one analysis."""
        planned = variant.labels[name]

        def work(folder: Path) -> None:
            partition = self.findings(variant, planned.label.of).partition
            if partition is None:
                raise DataError(f"'{planned.label.of}' gives no clusters to label")
            labels = planned.label.label(
                self.rows(variant),
                partition,
                streams=self._streams(variant).child(planned.label.kind()),
                progress=self._progress(planned.stage),
            )
            save_labels(folder, labels)

        self._perform(planned.stage, work)

    def draw(self, name: str) -> None:
        """Draws one analysis' pictures, the network beside its controls."""

        def work(folder: Path) -> None:
            analysis = self.plan.own.analyses[name].analysis
            figures = [*analysis.draw(self.outcomes(name), subject=self.subject), *self._gallery(name)]
            # Two analyses of one kind draw figures of one name.
            save_figures(folder, [replace(figure, name=f"{name}-{figure.name}") for figure in figures])

        self._perform(self._figures_stage(name), work)

    @cached_property
    def subject(self) -> str:
        """The sentence every caption ends with."""
        return subject_of(self.plan, self.rows(self.plan.own))

    def rows(self, variant: VariantPlan) -> Rows:
        """The variant's rows, memory-mapped; damaged ones are harvested again."""
        takes = variant.takes
        return self._read(
            lambda: load_rows(
                self.place.store,
                activations=takes["activations"].stage.digest if "activations" in takes else None,
                codes=takes["codes"].stage.digest if "codes" in takes else None,
            ),
            again=lambda: self.harvest(variant),
        )

    def findings(self, variant: VariantPlan, name: str) -> Findings:
        """What one analysis found on the variant."""
        stage = variant.analyses[name].stage
        return self._read(
            lambda: load_findings(self.place.store.open(stage.kind, stage.digest)),
            again=lambda: self.analyse(variant, name),
        )

    def labels(self, variant: VariantPlan, name: str) -> Labels:
        """The labels of one partition's clusters."""
        stage = variant.labels[name].stage
        return self._read(
            lambda: load_labels(self.place.store.open(stage.kind, stage.digest)),
            again=lambda: self.label(variant, name),
        )

    def accuracy(self, variant: VariantPlan) -> Number | None:
        """The accuracy of the variant's network; None where it is not scored."""
        stage = variant.accuracy
        if stage is None:
            return None
        return self._read(
            lambda: load_number(self.place.store.open(stage.kind, stage.digest)),
            again=lambda: self.score_accuracy(variant),
        )

    def figures(self, name: str) -> tuple[Figure, ...]:
        """The pictures of one analysis."""
        stage = self._figures_stage(name)
        return self._read(
            lambda: load_figures(self.place.store.open(stage.kind, stage.digest)),
            again=lambda: self.draw(name),
        )

    def cards(self, name: str) -> ClusterCards | None:
        """The clusters of one analysis as people see them; None where it gives none."""
        own = self.plan.own
        partition = self.findings(own, name).partition
        if partition is None:
            return None
        labelled = next(((key, item) for key, item in own.labels.items() if item.label.of == name), None)
        return cards_of(
            name,
            partition,
            rows=self.rows(own),
            examples=self.plan.examples,
            labels=None if labelled is None else self.labels(own, labelled[0]),
            label=None if labelled is None else labelled[1].label,
            streams=self._streams(own).child("report"),
        )

    def _gallery(self, name: str) -> list[Figure]:
        cards = self.cards(name)
        return [] if cards is None else [gallery_of(cards, subject=self.subject)]

    def stored_file(self, stage: Stage, name: str, work: Callable[[Path], None]) -> Path:
        """One file of a stage, which is done where the store lacks it."""
        self._perform(stage, work)
        return self._read(
            lambda: self.place.store.open(stage.kind, stage.digest) / name,
            again=lambda: self._perform(stage, work),
        )

    def outcomes(self, name: str) -> Mapping[str, tuple[Outcome, ...]]:
        """What one analysis took and found, by variant."""
        outcomes: dict[str, tuple[Outcome, ...]] = {}
        for variant in self.plan.variants:
            planned = variant.analyses.get(name)
            if planned is None:
                continue
            upstream = {up: self.findings(variant, up) for up in planned.analysis.upstream()}
            outcome = Outcome(self.rows(variant), self.findings(variant, name), upstream)
            outcomes[variant.variant.name] = (*outcomes.get(variant.variant.name, ()), outcome)
        return outcomes

    def _figures_stage(self, name: str) -> Stage:
        digests = [
            f"{variant.variant.title}:{variant.analyses[name].stage.digest}"
            for variant in self.plan.variants
            if name in variant.analyses
        ]
        analysis = self.plan.own.analyses[name].analysis
        subject = title_of(self.plan)
        return figures_stage(name=name, analysis=analysis.identity(), outcomes=digests, subject=subject)

    def _missing_takes(self, variant: VariantPlan) -> list[tuple[Stage, Take]]:
        """Takes of the same network on the same examples that the store lacks, over all children."""
        missing: dict[str, tuple[Stage, Take]] = {}
        for plan in self.place.plans:
            if plan.examples.fingerprint != self.plan.examples.fingerprint:
                continue
            for other in plan.variants:
                if other.recipe == variant.recipe:
                    for planned in other.takes.values():
                        if not self._stored(planned.stage):
                            missing[planned.stage.digest] = (planned.stage, planned.take)
        own = {planned.stage.digest for planned in variant.takes.values()}
        return list(missing.values()) if own & missing.keys() else []

    def _streams(self, variant: VariantPlan) -> Streams:
        return Streams(variant.recipe.seed)

    def _assembled(self, variant: VariantPlan) -> Network:
        if self._network is None or self._network[0] != variant.recipe:
            made = self._read(
                lambda: assemble(
                    variant.recipe, self.plan.examples, store=self.place.store, root=self.place.root
                ),
                again=lambda: self.train(variant),
            )
            self._network = (variant.recipe, made)
        return self._network[1]

    def _progress(self, stage: Stage) -> Progress:
        return Under(stage.name, self.place.progress)

    def _stored(self, stage: Stage) -> bool:
        return self.place.store.has(stage.kind, stage.digest)

    def _perform(self, stage: Stage, work: Callable[[Path], None]) -> None:
        """Does one stage, unless the store has it."""
        if self._stored(stage):
            self._report(stage, "stored", 0.0)
            return
        with (
            self._reporting([stage]),
            self.place.store.writing(
                stage.kind, stage.digest, about=stage.about(), progress=self.place.progress
            ) as folder,
        ):
            if folder is not None:  # None: another process finished the stage while this one waited
                work(folder)

    @contextmanager
    def _reporting(self, stages: Sequence[Stage]) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except KeyboardInterrupt:
            raise
        except Exception as error:
            for stage in stages:
                self._report(stage, "failed", time.monotonic() - started)
            if isinstance(error, StageError):
                raise
            first = stages[0]
            if isinstance(error, PolylensError):
                raise StageError(first.name, error.message, path=first.path, hint=error.hint) from error
            raise StageError(first.name, f"{type(error).__name__}: {error}", path=first.path) from error
        for stage in stages:
            self._report(stage, "ran", time.monotonic() - started)

    def _report(self, stage: Stage, status: str, seconds: float) -> None:
        before = self.reports.get(stage.name)
        if before is None and self._stages_done is not None:
            self._stages_done.advance()
        if before is None or before.status != "ran" or status == "failed":
            self.reports[stage.name] = StageReport(stage.name, status, seconds)

    def _read(self, read: Callable[[], Result], *, again: Callable[[], None]) -> Result:
        """Reads a stored result; a damaged one was put aside by the store, and is computed again once."""
        try:
            return read()
        except StoreError as error:
            self.place.progress.note(f"{error.message}; computing it again")
            again()
            return read()
