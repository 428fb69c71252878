"""The walk of one child: train, harvest, analyse, label. What the store has is not done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.analyses import GROUNDWORK, Outcome, Probe, Probed, RowAnalysis
from polylens.assembly import Recipe, assemble
from polylens.devices import Options, probing_device
from polylens.errors import DataError
from polylens.harvest import harvest, load_rows, load_skipped
from polylens.progress import Progress, Task
from polylens.records import Findings, Labels, Network, Number, Rows, Shown, Skipped
from polylens.scores import Labeler, Subject
from polylens.store import (
    KeptArrays,
    Store,
    load_findings,
    load_labels,
    load_number,
    load_table,
    save_findings,
    save_labels,
    save_number,
)
from polylens.study.ahead import Ahead
from polylens.study.performing import Performer
from polylens.study.planned_takes import missing_takes
from polylens.study.plans import ChildPlan, PlannedAnalysis, VariantPlan
from polylens.work import Judging, Work

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Workshop:
    """Everything the walk works with, the same for all children of a study."""

    store: Store
    root: Path
    options: Options
    progress: Progress
    plans: Sequence[ChildPlan]
    """All children, so that a forward pass can serve every one that needs it."""
    ahead: Ahead = field(default_factory=Ahead)
    """What a second process does meanwhile."""
    judging: Judging = field(default_factory=Judging)
    """How judges are asked."""


class Walk:
    """The walk of one child. Keeps nothing but the network at hand; results are read from the store."""

    def __init__(self, plan: ChildPlan, workshop: Workshop, *, stages: Task | None = None) -> None:
        self.plan = plan
        self.workshop = workshop
        self.performer = Performer(workshop.store, workshop.progress, stages=stages)
        self._network: tuple[Recipe, Network] | None = None
        self._tried_network: Network | None = None

    @property
    def own(self) -> VariantPlan:
        """The plan of the spec's own network."""
        return self.plan.own

    def walk(self, variant: VariantPlan) -> None:
        """Does everything the child asks of one variant, in order."""
        self.train(variant)
        self.score_accuracy(variant)
        self.harvest(variant)
        for name in variant.analyses:
            self.analyse(variant, name)
        for name in variant.labels:
            self.label(variant, name)
        for name in variant.scores:
            self.score(variant, name)

    def train(self, variant: VariantPlan) -> None:
        """Trains the variant's network, where the model is trained here and the store lacks the weights."""
        stage = variant.training
        if stage is None:
            return

        def work(folder: Path) -> None:
            from polylens.models.gpt import LanguageTraining
            from polylens.training import fit, fit_language

            recipe = variant.recipe
            training = recipe.weighted_model.training_here()
            if training is None or self.plan.train_examples is None:
                raise AssertionError("a training stage is only planned for models trained here")
            streams = recipe.weight_streams
            module = recipe.weighted_model.build(streams.torch_generator("weights"))
            options, progress = self.workshop.options, self.performer.progress_of(stage)
            learnt = self.plan.train_examples
            if isinstance(training, LanguageTraining):
                fit_language(
                    module,
                    learnt,
                    training=training,
                    streams=streams,
                    folder=folder,
                    keeper=KeptArrays(self.workshop.store, stage.kind, stage.digest),
                    options=options,
                    progress=progress,
                )
                return
            fit(
                module,
                learnt,
                training=training,
                streams=streams,
                folder=folder,
                options=options,
                progress=progress,
            )

        self.performer.perform(stage, work)

    def score_accuracy(self, variant: VariantPlan) -> None:
        """Scores the variant's network on the spec's examples: its classes, or the next token of texts."""
        stage = variant.accuracy
        if stage is None:
            return

        def work(folder: Path) -> None:
            from polylens.training import accuracy, next_token_numbers

            network = self._checked_network(variant)
            examples, learnt = self.plan.examples, self.plan.train_examples
            options, progress = self.workshop.options, self.performer.progress_of(stage)
            if variant.recipe.model.learns == "classes":
                save_number(folder, accuracy(network, examples, options=options, progress=progress))
                return
            if learnt is None:
                raise AssertionError("predictions are only scored of models trained here")
            numbers = next_token_numbers(network, examples, learnt=learnt, options=options, progress=progress)
            save_findings(folder, Findings(numbers=numbers))

        self.performer.perform(stage, work)

    def harvest(self, variant: VariantPlan) -> None:
        """Harvests what is missing of the variant's rows, for all children in one forward pass."""
        for planned in variant.takes.values():
            if self.performer.is_stored(planned.stage):
                self.performer.report_stored(planned.stage)
        missing = missing_takes(self.workshop.plans, self.plan, variant, self.performer)
        if not missing:
            return
        stages = [planned.stage for planned in missing]
        with self.performer.report_failure(stages):
            harvest(
                self._network_of(variant),
                self.plan.examples,
                [planned.take for planned in missing],
                recipe=variant.recipe,
                streams=variant.streams,
                store=self.workshop.store,
                root=self.workshop.root,
                options=self.workshop.options,
                progress=self.performer.progress_of(stages[0]),
                about={stage.digest: stage.about() for stage in stages},
            )

    def analyse(self, variant: VariantPlan, name: str) -> None:
        """Runs one analysis on the variant's rows, its groundwork first."""
        for planned in variant.analyses[name].in_order():
            self._analyse(variant, planned)

    def _analyse(self, variant: VariantPlan, planned: PlannedAnalysis) -> None:
        def work(folder: Path) -> None:
            services = Work(
                # Named by the kind and not by who asks for it, so that a stage is the same whoever asks.
                streams=variant.streams.child(planned.analysis.kind()),
                upstream=self._upstream(variant, planned),
                progress=self.performer.progress_of(planned.stage),
                keeper=KeptArrays(self.workshop.store, planned.stage.kind, planned.stage.digest),
            )
            analysis = planned.analysis
            rows = self.rows(variant, targets=analysis.named_targets())
            self.workshop.ahead.settle()
            if isinstance(analysis, Probe):
                findings = analysis.probe(rows, self._probed_network(variant, analysis), services)
            elif isinstance(analysis, RowAnalysis):
                findings = analysis.run(rows, services)
            else:
                raise AssertionError(f"'{analysis.kind()}' is neither a RowAnalysis nor a Probe")
            save_findings(folder, findings)

        self.performer.perform(planned.stage, work)

    def _probed_network(self, variant: VariantPlan, analysis: Probe) -> Probed:
        network, device = self._checked_network(variant), probing_device()
        if device != "cpu":
            network = replace(network, module=deepcopy(network.module).to(device))
        compares = analysis.compares and not variant.is_own
        own = self.rows(self.own) if compares else None
        return Probed(network, self.plan.examples, self.plan.module_path, own)

    def label(self, variant: VariantPlan, name: str) -> None:
        """Labels the clusters of one analysis."""
        planned = variant.labels[name]

        def work(folder: Path) -> None:
            of = planned.label.of
            partition = self.findings(variant, of).clusters(of, to="label")
            rows = self.rows(variant, targets=planned.label.named_targets())
            services = Work(
                streams=variant.streams.child(planned.label.kind()),
                progress=self.performer.progress_of(planned.stage),
                among=planned.among,
                judging=self.workshop.judging,
                shown=self._shown(rows),
            )
            save_labels(folder, planned.label.label(rows, partition, services))

        self.performer.perform(planned.stage, work)

    def score(self, variant: VariantPlan, name: str) -> None:
        """Scores labels, or clusters, of one analysis."""
        planned = variant.scores[name]

        def work(folder: Path) -> None:
            of = planned.score.of
            labelers = {label: self._labeler(variant, label) for label in planned.labels}
            rows = self.rows(variant)
            shown = self._shown(rows)
            services = Work(
                streams=variant.streams.child("scores", planned.score.kind()),
                progress=self.performer.progress_of(planned.stage),
                judging=self.workshop.judging,
                shown=shown,
            )
            partition = self.findings(variant, of).clusters(of, to="score")
            subject = Subject(rows, partition, labelers, shown)
            save_findings(folder, planned.score.score(subject, services))

        self.performer.perform(planned.stage, work)

    def _labeler(self, variant: VariantPlan, name: str) -> Labeler:
        planned = variant.labels[name]
        streams = variant.streams.child(planned.label.kind())
        labels = self.labels(variant, name)
        rows = self.rows(variant, targets=planned.label.named_targets())
        return Labeler(name, planned.label, labels, rows, streams, planned.among)

    def _shown(self, rows: Rows) -> Callable[[int], Shown]:
        """What people and judges are shown of a row."""
        origins, examples = rows.origins, self.plan.examples

        def shown(row: int) -> Shown:
            return examples.context(int(origins.example[row]), int(origins.position[row]))

        return shown

    def scored(self, variant: VariantPlan, name: str) -> Findings:
        """What one score found."""
        stage = variant.scores[name].stage
        return self.performer.read(
            lambda: load_findings(self.performer.open(stage)),
            again=lambda: self.score(variant, name),
        )

    def rows(self, variant: VariantPlan, *, targets: str | None = None) -> Rows:
        """The variant's rows, memory-mapped, with their tokens; damaged ones are harvested again.

        Args:
            variant: whose rows.
            targets: which of the dataset's named targets stand in place of their examples' classes, if any.

        Raises:
            DataError: the dataset has no such targets, or the rows are whole examples.
        """
        takes = variant.takes
        rows = self.performer.read(
            lambda: load_rows(
                self.workshop.store,
                activations=takes["activations"].stage.digest if "activations" in takes else None,
                codes=takes["codes"].stage.digest if "codes" in takes else None,
            ),
            again=lambda: self.harvest(variant),
        )
        origins = rows.origins
        if not origins.grid:
            if targets is not None:
                raise DataError(
                    f"rows are whole examples here, and '{targets}' are targets of positions",
                    hint="choose a layer with positions, or leave 'targets' out",
                )
            return rows  # whole examples stand at no token
        examples = self.plan.examples
        rows = replace(rows, tokens=examples.row_tokens(origins.example, origins.position))
        if targets is None:
            return rows
        return rows.with_targets(examples.row_targets(targets, origins.example, origins.position))

    def skipped_examples(self, variant: VariantPlan) -> tuple[Skipped, ...]:
        """Examples that cannot be used, and those of which no position was chosen, with the reasons."""
        take = next(iter(variant.takes.values()))
        chosen_none = self.performer.read(
            lambda: load_skipped(self.workshop.store, take.stage.digest), again=lambda: self.harvest(variant)
        )
        return (*self.plan.examples.skipped, *chosen_none)

    def findings(self, variant: VariantPlan, name: str) -> Findings:
        """What one analysis found on the variant."""
        return self._findings(variant, variant.analyses[name])

    def _findings(self, variant: VariantPlan, planned: PlannedAnalysis) -> Findings:
        return self.performer.read(
            lambda: load_findings(self.performer.open(planned.stage)),
            again=lambda: self._analyse(variant, planned),
        )

    def _upstream(self, variant: VariantPlan, planned: PlannedAnalysis) -> dict[str, Findings]:
        findings = {up: self.findings(variant, up) for up in planned.analysis.upstream()}
        if planned.groundwork is not None:
            findings[GROUNDWORK] = self._findings(variant, planned.groundwork)
        return findings

    def labels(self, variant: VariantPlan, name: str) -> Labels:
        """The labels of one partition's clusters."""
        stage = variant.labels[name].stage
        return self.performer.read(
            lambda: load_labels(self.performer.open(stage)),
            again=lambda: self.label(variant, name),
        )

    def scores(self, variant: VariantPlan) -> Mapping[str, Number]:
        """How well the variant's network does what it is trained for; nothing where it is not scored."""
        stage = variant.accuracy
        if stage is None:
            return {}

        def load() -> Mapping[str, Number]:
            folder = self.performer.open(stage)
            if variant.recipe.model.learns == "classes":
                return {"accuracy": load_number(folder)}
            return load_findings(folder).numbers

        return self.performer.read(load, again=lambda: self.score_accuracy(variant))

    def training_history(self) -> pd.DataFrame | None:
        """Loss and accuracy by epoch of the network's training; None where it is not trained here."""
        own = self.own
        stage = own.training
        if stage is None:
            return None
        return self.performer.read(
            lambda: load_table(self.performer.open(stage) / "history.parquet"), again=lambda: self.train(own)
        )

    def outcomes(self, name: str) -> Mapping[str, tuple[Outcome, ...]]:
        """What one analysis took and found, by variant."""
        outcomes: dict[str, tuple[Outcome, ...]] = {}
        for variant in self.plan.variants:
            planned = variant.analyses.get(name)
            if planned is None:
                continue
            upstream = self._upstream(variant, planned)
            rows = self.rows(variant, targets=planned.analysis.named_targets())
            outcome = Outcome(rows, self.findings(variant, name), upstream)
            outcomes[variant.name] = (*outcomes.get(variant.name, ()), outcome)
        return outcomes

    def _checked_network(self, variant: VariantPlan) -> Network:
        """The variant's network, whose output for an example is certain to depend on nothing else."""
        from polylens.harvest.dependence import check_examples_alone

        network = self._network_of(variant)
        if self._tried_network is not network:
            check_examples_alone(network, self.plan.examples, layers=["output"])
            self._tried_network = network
        return network

    def _network_of(self, variant: VariantPlan) -> Network:
        if self._network is None or self._network[0] != variant.recipe:
            made = self.performer.read(
                lambda: assemble(
                    variant.recipe,
                    self.plan.examples,
                    store=self.workshop.store,
                    root=self.workshop.root,
                    progress=self.workshop.progress,
                ),
                again=lambda: self.train(variant),
            )
            self._network = (variant.recipe, made)
        return self._network[1]
