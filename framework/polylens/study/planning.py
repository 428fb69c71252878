"""Planning: one child of a study becomes stages with digests, before anything heavy is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from polylens.analyses import Analysis
from polylens.devices import Options
from polylens.errors import DataError, StageError, UsageError
from polylens.progress import Progress
from polylens.records import Examples
from polylens.settings import Settings
from polylens.spec import Child, Experiment, Study, scored_labels, without_references
from polylens.store import Store
from polylens.study.opened_examples import OpenedExamples
from polylens.study.planned_analyses import AnalysisPlanner, all_needs, targets_identity
from polylens.study.planned_takes import TakePlanner
from polylens.study.plans import ChildPlan, PlannedAnalysis, PlannedLabel, PlannedScore, VariantPlan
from polylens.study.recognising import Recognition
from polylens.study.stages import (
    Stage,
    network_identity,
    training_stage,
)
from polylens.study.variants import Variant, variants_of


def plan_study(
    study: Study, *, settings: Settings, options: Options, limit: int | None, progress: Progress
) -> tuple[ChildPlan, ...]:
    """The stages of every child of a study; children share examples, and stages by digest.

    Raises:
        DataError: the dataset cannot be opened.
        UsageError: a control does not fit the model, or the dataset does not.
        StageError: a file that a label or a judge reads is not there.
    """
    opened, recognition = OpenedExamples(settings, progress), Recognition(Store(settings.store))
    children = (with_data_located(child, settings) for child in study.children)
    try:
        return tuple(
            plan_child(
                child,
                root=settings.project,
                opened=opened,
                recognition=recognition,
                options=options,
                limit=limit,
                layers=_layers_beside(child, study),
            )
            for child in children
        )
    except StageError as error:
        error.place = study.place_of(error.path)
        raise
    except (DataError, UsageError) as error:
        if opened.failed:
            error.place = study.place_of_change("dataset")
        elif isinstance(error, DataError):
            error.place = study.place_of_change("model")
        raise


def plan_child(
    child: Child,
    *,
    root: Path,
    opened: OpenedExamples,
    recognition: Recognition,
    options: Options,
    limit: int | None,
    layers: int = 1,
) -> ChildPlan:
    """The stages of one child, which is of one of so many layers."""
    examples = opened.of(variants_of(child.experiment, limit=limit)[0].recipe)
    experiment = child.experiment.model_copy(update={"model": recognition.settle(child, examples)})
    child = replace(child, experiment=experiment)
    variants = variants_of(experiment, limit=limit)
    own = variants[0].recipe
    trained_here = experiment.model.training_here() is not None
    train_examples = opened.of(own, split="train") if trained_here else None
    planner = _Planner(experiment, examples, train_examples, root, options, layers)
    return ChildPlan(
        child=child,
        examples=examples,
        train_examples=train_examples,
        variants=tuple(planner.variant(variant) for variant in variants),
        root=root,
    )


@contextmanager
def _asked_for(stage: str, *, path: str) -> Iterator[None]:
    """Says of a file that is missing which stage asks for it, and where in the spec."""
    try:
        yield
    except DataError as error:
        raise StageError(stage, error.message, path=path, hint=error.hint) from error


def _layers_beside(child: Child, study: Study) -> int:
    """How many layers are looked at with everything else as it is; seeds, say, are no further looks."""

    def rest(of: Child) -> dict[str, Any]:
        return {key: value for key, value in of.point.items() if key != "layer"}

    return len({other.experiment.layer for other in study.children if rest(other) == rest(child)})


def with_data_located(child: Child, settings: Settings) -> Child:
    """The child with the folders of its dataset and its model looked up among the data roots."""
    located = {
        "dataset": child.experiment.dataset.locate(settings.data_root),
        "model": child.experiment.model.locate(settings.data_root),
    }
    return replace(child, experiment=child.experiment.model_copy(update=located))


class _Planner:
    """Works out one child's stages; lives only while planning."""

    def __init__(
        self,
        experiment: Experiment,
        examples: Examples,
        train_examples: Examples | None,
        root: Path,
        options: Options,
        layers: int,
    ) -> None:
        self.experiment = experiment
        self.labelled = layers * len(experiment.labels)
        self.examples = examples
        self.train_examples = train_examples
        self.root = root
        self.take_planner = TakePlanner(experiment, examples, precision=options.precision)
        self.own_rows: Mapping[str, str] = {}
        """Digest of the harvest of each part of the spec's own network, which is planned first."""

    def variant(self, variant: Variant) -> VariantPlan:
        training = self._training(variant)
        analyses = self._kept_analyses(variant)
        reads_network = self.take_planner.reads_network(variant)
        network = self._network(variant, training) if reads_network else None
        needs = {need for analysis in analyses.values() for need in all_needs(analysis)}
        takes = self.take_planner.plan(variant, needs, network=network)
        rows = {need: planned.stage.digest for need, planned in takes.items()}
        if variant.is_own:
            self.own_rows = rows
        probed = {} if variant.is_raw_inputs else {"network": network}
        planner = AnalysisPlanner(
            variant,
            rows,
            probed={**probed, "layer": self.experiment.module_path},
            own_rows=self.own_rows,
            examples=self.examples,
            seed=self.experiment.seed,
        )
        planned = planner.plan([(name, analyses[name]) for name, _ in self._in_order() if name in analyses])
        labels = self._labels(variant, planned)
        return VariantPlan(
            variant=variant,
            training=training,
            accuracy=self._accuracy(variant, training),
            takes=takes,
            analyses=planned,
            labels=labels,
            scores=self._scores(variant, planned, labels),
        )

    def _training(self, variant: Variant) -> Stage | None:
        if variant.is_raw_inputs or self.train_examples is None:
            return None
        if variant.recipe.weighted_model.training_here() is None:
            return None
        return training_stage(
            variant.recipe,
            name=variant.stage_name("train"),
            train_fingerprint=self.train_examples.fingerprint,
        )

    def _accuracy(self, variant: Variant, training: Stage | None) -> Stage | None:
        """Trained networks, and their controls, are scored on the spec's examples."""
        if variant.is_raw_inputs or self.train_examples is None:
            return None
        identity = {"network": self._network(variant, training), "examples": self.examples.fingerprint}
        if variant.recipe.model.learns == "next_token":
            # What was learnt from is what the baselines count.
            identity["learnt"] = self.train_examples.fingerprint
            return Stage("prediction", variant.stage_name("prediction"), identity, path="model")
        if self.examples.targets is None:
            return None
        return Stage("accuracy", variant.stage_name("accuracy"), identity, path="model")

    def _kept_analyses(self, variant: Variant) -> dict[str, Analysis]:
        if not variant.is_raw_inputs:
            return dict(self.experiment.analyses)
        if self.take_planner.raw_layer in (None, self.experiment.module_path):
            return {}  # there are no raw inputs that have distances, or the rows are the raw inputs already
        kept: dict[str, Analysis] = {}
        for name, analysis in self._in_order():
            changed = analysis.on_inputs()
            if changed is not None and all(up in kept for up in changed.upstream()):
                kept[name] = changed
        return kept

    def _labels(self, variant: Variant, analyses: Mapping[str, PlannedAnalysis]) -> dict[str, PlannedLabel]:
        planned: dict[str, PlannedLabel] = {}
        for name, label in self.experiment.labels.items():
            if label.of not in analyses or not (variant.is_own or label.of_controls):
                continue
            identity = {
                "label": without_references(label.identity()),
                "partition": analyses[label.of].stage.digest,
                "among": self.labelled,
                "seed": self.experiment.seed,
            }
            if label.named_targets() is not None:
                identity["targets"] = targets_identity(self.examples, label)
            with _asked_for(name, path=f"labels.{name}"):
                if (judge := getattr(label, "judge", None)) is not None:
                    identity |= {
                        "judge": judge.contents_digest(root=self.root),
                        "shown": self.examples.fingerprint,
                    }
                if contents := label.contents_digest(root=self.root):
                    identity["contents"] = contents
            stage = Stage("labels", variant.stage_name(name), identity, path=f"labels.{name}")
            planned[name] = PlannedLabel(stage, label, self.labelled)
        return planned

    def _scores(
        self,
        variant: Variant,
        analyses: Mapping[str, PlannedAnalysis],
        labels: Mapping[str, PlannedLabel],
    ) -> dict[str, PlannedScore]:
        planned: dict[str, PlannedScore] = {}
        for name, score in self.experiment.scores.items():
            if score.of not in analyses:
                continue
            if score.beside not in analyses:
                score = score.model_copy(update={"beside": None})
            # Of a control, labels of people are missing, and with them scores of nothing else.
            scored = tuple(name for name in scored_labels(score, self.experiment.labels) if name in labels)
            if score.needs_labels and not scored:
                continue
            with _asked_for(name, path=f"scores.{name}"):
                judge = score.contents_digest(root=self.root)
            identity = {
                "score": without_references({**score.identity(), "labels": list(scored)}),
                "partition": analyses[score.of].stage.digest,
                "labels": {label: labels[label].stage.digest for label in scored},
                "judge": judge,
                "shown": self.examples.fingerprint,
                "seed": self.experiment.seed,
            }
            if score.beside is not None:
                identity["beside"] = analyses[score.beside].stage.digest
            stage = Stage("scores", variant.stage_name(name), identity, path=f"scores.{name}")
            planned[name] = PlannedScore(stage, score, scored)
        return planned

    def _network(self, variant: Variant, training: Stage | None) -> dict[str, Any]:
        return network_identity(
            variant.recipe,
            training=training,
            weights_digest=variant.recipe.weighted_model.weights_digest(root=self.root),
        )

    def _in_order(self) -> tuple[tuple[str, Analysis], ...]:
        """The analyses, each after those it stands on; the spec was checked to have no cycle."""
        ordered: dict[str, Analysis] = {}

        def visit(name: str) -> None:
            analysis = self.experiment.analyses[name]
            for up in analysis.upstream():
                visit(up)
            ordered.setdefault(name, analysis)

        for name in self.experiment.analyses:
            visit(name)
        return tuple(ordered.items())
