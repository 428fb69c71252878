"""The walk of one child: train, harvest, analyse, label. What the store has is not done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from polylens.analyses import GROUNDWORK, Outcome, Probe, Probed, RowAnalysis
from polylens.assembly import Recipe, assemble
from polylens.devices import Options, probing_device
from polylens.errors import DataError, PolylensError
from polylens.harvest import harvest, load_rows, load_skipped
from polylens.progress import Progress, Task
from polylens.records import Findings, Network, Rows, Skipped
from polylens.store import (
    KeptArrays,
    Store,
    load_findings,
    save_findings,
)
from polylens.study.ahead import Ahead
from polylens.study.learning import Learning
from polylens.study.naming import Naming
from polylens.study.performing import Performer, StageReport
from polylens.study.planned_takes import missing_takes
from polylens.study.plans import ChildPlan, PlannedAnalysis, VariantPlan
from polylens.study.returned import checked_findings
from polylens.study.sharing import share_analysis
from polylens.work import Judging, Siblings, Work


@dataclass(frozen=True)
class Elsewhere:
    """What became of a child that a job walked."""

    reports: tuple[StageReport, ...] = ()
    """Of the stages that the job did."""
    error: PolylensError | None = None
    """Why it failed; such a child is not walked here."""


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
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)
    """Children that were walked on other machines, by their runs' digests."""


class Walk:
    """The walk of one child. Keeps nothing but the network at hand; results are read from the store."""

    def __init__(self, plan: ChildPlan, workshop: Workshop, *, stages: Task | None = None) -> None:
        self.plan = plan
        self.workshop = workshop
        self.performer = Performer(workshop.store, workshop.progress, stages=stages)
        self.learning, self.naming = Learning(self), Naming(self)
        self._network: tuple[Recipe, Network] | None = None
        self._tried_network: Network | None = None
        self._moved_network: tuple[Network, Network] | None = None
        """A network, and its copy on the device that probes compute on."""

    @property
    def own(self) -> VariantPlan:
        """The plan of the spec's own network."""
        return self.plan.own

    def walk(self, variant: VariantPlan) -> None:
        """Does everything the child asks of one variant, in order."""
        self.learning.train(variant)
        self.learning.score(variant)
        self.harvest(variant)
        for name in variant.analyses:
            self.analyse(variant, name)
        for name in variant.labels:
            self.naming.label(variant, name)
        for name in variant.scores:
            self.naming.score(variant, name)

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
        analysis, options = planned.analysis, self.workshop.options

        def work(folder: Path) -> None:
            rows = self.rows(variant, targets=analysis.named_targets())
            if (
                options.is_distributed
                and isinstance(analysis, RowAnalysis)
                and analysis.compares_pairs(len(rows))
            ):
                share_analysis(
                    planned,
                    variant,
                    upstream={name: each.stage for name, each in _stands_on(variant, planned).items()},
                    store=self.workshop.store,
                    folder=folder,
                    options=options,
                    progress=self.performer.progress_of(planned.stage),
                )
                return
            services = Work(
                # Named by the kind and not by who asks for it, so that a stage is the same whoever asks.
                streams=variant.streams.child(planned.analysis.kind()),
                upstream=self._upstream(variant, planned),
                progress=self.performer.progress_of(planned.stage),
                keeper=KeptArrays(self.workshop.store, planned.stage.kind, planned.stage.digest),
            )
            self.workshop.ahead.settle()
            if isinstance(analysis, Probe):
                found: object = analysis.probe(rows, self._probed(variant, analysis), services)
            elif isinstance(analysis, RowAnalysis):
                found = analysis.run(rows, services)
            else:
                raise AssertionError(f"'{analysis.kind()}' is neither a RowAnalysis nor a Probe")
            method = "probe" if isinstance(analysis, Probe) else "run"
            save_findings(folder, checked_findings(analysis, method, found, n_rows=len(rows)))

        self.performer.perform(planned.stage, work)

    def _probed(self, variant: VariantPlan, analysis: Probe) -> Probed:
        compares = analysis.compares and not variant.is_own
        own = self.rows(self.own) if compares else None
        return Probed(self.probed_network(variant), self.plan.examples, self.plan.module_path, own)

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
        found = {name: self._findings(variant, each) for name, each in _stands_on(variant, planned).items()}
        return Siblings(planned.analysis.kind(), found)

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

    def checked_network(self, variant: VariantPlan) -> Network:
        """The variant's network, whose output for an example is certain to depend on nothing else."""
        from polylens.harvest.dependence import check_examples_alone

        network = self._network_of(variant)
        if self._tried_network is not network:
            check_examples_alone(
                network,
                self.plan.examples,
                layers=["output"],
                batch_size=self.workshop.options.batch_size,
            )
            self._tried_network = network
        return network

    def probed_network(self, variant: VariantPlan) -> Network:
        """The checked network on the device to compute on, where a copy stays for all that looks into it."""
        network, device = self.checked_network(variant), probing_device()
        if device == "cpu":
            return network
        if self._moved_network is None or self._moved_network[0] is not network:
            from polylens.modules import copy_module

            self._moved_network = None  # before the next one needs its room
            moved = replace(network, module=copy_module(network.module).to(device))
            self._moved_network = (network, moved)
        return self._moved_network[1]

    def _network_of(self, variant: VariantPlan) -> Network:
        if self._network is None or self._network[0] != variant.recipe:
            self._moved_network = None
            made = self.performer.read(
                lambda: assemble(
                    variant.recipe,
                    self.plan.examples,
                    store=self.workshop.store,
                    root=self.workshop.root,
                    progress=self.workshop.progress,
                ),
                again=lambda: self.learning.train(variant),
            )
            self._network = (variant.recipe, made)
        return self._network[1]


def _stands_on(variant: VariantPlan, planned: PlannedAnalysis) -> dict[str, PlannedAnalysis]:
    """What an analysis stands on, by the names by which it asks for it."""
    siblings = {name: variant.analyses[name] for name in planned.analysis.upstream()}
    return siblings if planned.groundwork is None else {**siblings, GROUNDWORK: planned.groundwork}
