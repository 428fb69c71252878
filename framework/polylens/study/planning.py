"""Planning: one child of a study becomes stages with digests, before anything heavy is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from polylens.analyses import Analysis
from polylens.assembly import Recipe, open_examples
from polylens.devices import Options
from polylens.digests import digest
from polylens.errors import DataError, UsageError
from polylens.harvest import Take
from polylens.progress import Progress
from polylens.records import Examples, TextFormat
from polylens.settings import Settings
from polylens.spec import Child, Experiment, Study, without_references
from polylens.store import Store
from polylens.study.planned_analyses import AnalysisPlanner, all_needs
from polylens.study.plans import ChildPlan, PlannedAnalysis, PlannedLabel, PlannedTake, VariantPlan
from polylens.study.recognising import Recognition
from polylens.study.stages import (
    THUMBNAIL,
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
    """
    opened, recognition = _Opened(settings, progress), Recognition(Store(settings.store))
    children = (_with_data_located(child, settings) for child in study.children)
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
    opened: _Opened,
    recognition: Recognition,
    options: Options,
    limit: int | None,
    layers: int = 1,
) -> ChildPlan:
    """The stages of one child, which is of one of so many layers."""
    examples = opened(variants_of(child.experiment, limit=limit)[0].recipe)
    experiment = child.experiment.model_copy(update={"model": recognition.settled(child, examples)})
    child = replace(child, experiment=experiment)
    variants = variants_of(experiment, limit=limit)
    own = variants[0].recipe
    trained_here = experiment.model.training_here() is not None
    train_examples = opened(own, split="train") if trained_here else None
    planner = _Planner(experiment, examples, train_examples, root, options, layers)
    return ChildPlan(
        child=child,
        examples=examples,
        train_examples=train_examples,
        variants=tuple(planner.variant(variant) for variant in variants),
        root=root,
    )


def _layers_beside(child: Child, study: Study) -> int:
    """How many layers are looked at with everything else as it is; seeds, say, are no further looks."""

    def rest(of: Child) -> dict[str, Any]:
        return {key: value for key, value in of.point.items() if key != "layer"}

    return len({other.experiment.layer for other in study.children if rest(other) == rest(child)})


def _with_data_located(child: Child, settings: Settings) -> Child:
    """The child with the folders of its dataset and its model looked up among the data roots."""
    located = {
        "dataset": child.experiment.dataset.located(settings.data_root),
        "model": child.experiment.model.located(settings.data_root),
    }
    return replace(child, experiment=child.experiment.model_copy(update=located))


class _Opened:
    """Examples, opened once for all children that ask for the same; lives only while planning."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._known: dict[str, Examples] = {}
        self.failed = False
        """Whether a dataset could not be opened."""

    def __call__(self, recipe: Recipe, *, split: Literal["train"] | None = None) -> Examples:
        key = digest(
            {
                "dataset": recipe.dataset.to_plain(),
                "format": recipe.model.input_format().to_plain(),
                "seed": recipe.seed,
                "limit": recipe.limit,
                "split": split,
            }
        )
        if key not in self._known:
            self.failed = True
            self._known[key] = open_examples(
                recipe,
                root=self._settings.project,
                split=split,
                cache=self._settings.store / "seen",
                progress=self._progress,
            )
            self.failed = False
        return self._known[key]


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
        self.options = options
        self.layer = experiment.module_path
        self.whole = experiment.takes_whole_examples
        self.is_text = isinstance(experiment.model.input_format(), TextFormat)
        # Numbers of tokens have no distances; their embeddings have, and know as little of what is around.
        self.raw_layer: str | None = "input"
        if self.is_text:
            self.raw_layer = None if self.whole else experiment.model.token_embedding()
        self.own_rows: Mapping[str, str] = {}
        """Digest of the harvest of each part of the spec's own network, which is planned first."""

    def variant(self, variant: Variant) -> VariantPlan:
        training = self._training(variant)
        analyses = self._kept_analyses(variant)
        takes = self._takes(variant, training, analyses)
        rows = {need: planned.stage.digest for need, planned in takes.items()}
        if variant.is_own:
            self.own_rows = rows
        probed = {} if variant.is_raw_inputs else {"network": self._network(variant, training)}
        planner = AnalysisPlanner(
            variant,
            rows,
            probed={**probed, "layer": self.layer},
            own_rows=self.own_rows,
            fingerprint=self.examples.fingerprint,
            seed=self.experiment.seed,
        )
        planned = planner.plan([(name, analyses[name]) for name, _ in self._in_order() if name in analyses])
        return VariantPlan(
            variant=variant,
            training=training,
            accuracy=self._accuracy(variant, training),
            takes=takes,
            analyses=planned,
            labels=self._labels(variant, planned),
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
        if variant.is_raw_inputs or self.train_examples is None or self.examples.targets is None:
            return None
        return Stage(
            kind="accuracy",
            name=variant.stage_name("accuracy"),
            path="model",
            identity={
                "network": self._network(variant, training),
                "examples": self.examples.fingerprint,
            },
        )

    def _kept_analyses(self, variant: Variant) -> dict[str, Analysis]:
        if not variant.is_raw_inputs:
            return dict(self.experiment.analyses)
        if self.layer == self.raw_layer or self.raw_layer is None:
            return {}  # the rows are the raw inputs already, or there are none that have distances
        kept: dict[str, Analysis] = {}
        for name, analysis in self._in_order():
            changed = analysis.on_inputs()
            if changed is not None and all(up in kept for up in changed.upstream()):
                kept[name] = changed
        return kept

    def _takes(
        self, variant: Variant, training: Stage | None, analyses: Mapping[str, Analysis]
    ) -> dict[str, PlannedTake]:
        needed = {need for analysis in analyses.values() for need in all_needs(analysis)}
        code = self.experiment.code
        parts = [part for part in ("activations", "codes") if part in needed]
        takes: dict[str, PlannedTake] = {}
        for part in parts:
            # Of images the raw inputs are whole and seen by no network.
            raw = variant.is_raw_inputs and not self.is_text
            sampling = None if self.whole or raw else self.experiment.sampling
            layer, whole = ("input", True) if raw else (self.layer, self.whole)
            if variant.is_raw_inputs and self.raw_layer is not None:
                layer = self.raw_layer
            kept_code = code if part == "codes" else None
            identity: dict[str, Any] = {
                "examples": self.examples.fingerprint,
                "layer": layer,
                "part": part,
                "whole": whole,
                "sampling": None if sampling is None else sampling.identity(),
                "code": None if kept_code is None else kept_code.identity(),
                "thumbnail": THUMBNAIL if raw else None,
                "network": None if raw else self._network(variant, training),
                "precision": None if raw else self.options.precision,
                "seed": None if raw else self.experiment.seed,
            }
            name = "harvest" if part == "activations" else "harvest_codes"
            stage = Stage("harvest", variant.stage_name(name), identity, path="layer")
            takes[part] = PlannedTake(
                stage,
                Take(
                    digest=stage.digest,
                    layer=layer,
                    part=part,
                    sampling=sampling,
                    code=kept_code,
                    whole=whole,
                    thumbnail=identity["thumbnail"],
                ),
            )
        return takes

    def _labels(self, variant: Variant, analyses: Mapping[str, PlannedAnalysis]) -> dict[str, PlannedLabel]:
        planned: dict[str, PlannedLabel] = {}
        for name, label in self.experiment.labels.items():
            if label.of not in analyses:
                continue
            identity = {
                "label": without_references(label.identity()),
                "partition": analyses[label.of].stage.digest,
                "among": self.labelled,
                "seed": self.experiment.seed,
            }
            stage = Stage("labels", variant.stage_name(name), identity, path=f"labels.{name}")
            planned[name] = PlannedLabel(stage, label, self.labelled)
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
