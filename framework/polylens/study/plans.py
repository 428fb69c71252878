"""Plans: the stages of one child of a study, variant by variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from polylens.analyses import Analysis
from polylens.assembly import Recipe
from polylens.harvest import Take
from polylens.labels import Label
from polylens.records import Examples
from polylens.scores import Score
from polylens.spec import Child, Experiment, without_references
from polylens.streams import Streams
from polylens.study.stages import Stage
from polylens.study.variants import Variant


@dataclass(frozen=True)
class PlannedTake:
    """A harvest stage and what it takes from the forward pass."""

    stage: Stage
    take: Take


@dataclass(frozen=True)
class PlannedAnalysis:
    """An analysis stage and the analysis itself, in the form that fits the variant."""

    stage: Stage
    analysis: Analysis
    groundwork: PlannedAnalysis | None = None
    """What it asks for; the same object for all analyses of the variant that ask for the same."""

    def in_order(self) -> tuple[PlannedAnalysis, ...]:
        """The analysis after its groundwork."""
        return (self,) if self.groundwork is None else (*self.groundwork.in_order(), self)


@dataclass(frozen=True)
class PlannedLabel:
    """A labelling stage and the label itself."""

    stage: Stage
    label: Label
    among: int
    """How many partitions the spec labels, of all its layers together."""


@dataclass(frozen=True)
class PlannedScore:
    """A scoring stage, the score itself, and the labels that it is of."""

    stage: Stage
    score: Score
    labels: tuple[str, ...]
    """Their names in the spec."""


@dataclass(frozen=True)
class VariantPlan:
    """All stages of one variant."""

    variant: Variant
    training: Stage | None
    accuracy: Stage | None
    takes: Mapping[str, PlannedTake]
    """By part: `activations`, `codes`."""
    analyses: Mapping[str, PlannedAnalysis]
    labels: Mapping[str, PlannedLabel]
    scores: Mapping[str, PlannedScore] = field(default_factory=dict)

    @property
    def drawn_scores(self) -> tuple[str, ...]:
        """Names of the scores that have pictures."""
        return tuple(name for name, planned in self.scores.items() if planned.score.beside is not None)

    @property
    def name(self) -> str:
        """`network`, the control's name in the spec, or `raw_inputs`."""
        return self.variant.name

    @property
    def title(self) -> str:
        """The name with the draw's number where there are several, such as `random_init#2`."""
        return self.variant.title

    @property
    def is_own(self) -> bool:
        """Whether this is the network under study, and no control."""
        return self.variant.is_own

    @property
    def is_raw_inputs(self) -> bool:
        """Whether the rows are the inputs themselves."""
        return self.variant.is_raw_inputs

    @property
    def recipe(self) -> Recipe:
        """The recipe of the variant's network, with the digest of its trained weights."""
        training = "" if self.training is None else self.training.digest
        return replace(self.variant.recipe, training=training)

    @property
    def streams(self) -> Streams:
        """The randomness of all that is computed from the variant's rows."""
        return Streams(self.variant.recipe.seed)

    def stages(self) -> tuple[Stage, ...]:
        """The stages in the order they run."""
        first = [stage for stage in (self.training, self.accuracy) if stage is not None]
        takes = [planned.stage for planned in self.takes.values()]
        analyses = [each.stage for planned in self.analyses.values() for each in planned.in_order()]
        labels = [planned.stage for planned in self.labels.values()]
        scores = [planned.stage for planned in self.scores.values()]
        everything = (*first, *takes, *analyses, *labels, *scores)
        # Groundwork that several analyses share comes once.
        return tuple({(stage.name, stage.digest): stage for stage in everything}.values())


@dataclass(frozen=True)
class ChildPlan:
    """All stages of one child of a study."""

    child: Child
    examples: Examples
    train_examples: Examples | None
    variants: tuple[VariantPlan, ...]
    root: Path = field(default_factory=Path)

    @property
    def name(self) -> str:
        """The spec's file name, with what was swept, such as `pair-density layer=hidden.1`."""
        return self.child.name

    @property
    def names(self) -> Mapping[str, str]:
        """What people call the model, the dataset, the sampling rule and the code."""
        return self.child.names

    @property
    def point(self) -> Mapping[str, Any]:
        """Values of the swept keys (and of `layer`, where the spec names several), as written."""
        return self.child.point

    @property
    def experiment(self) -> Experiment:
        """What is done: the spec at this point of its sweep."""
        return self.child.experiment

    @property
    def seed(self) -> int:
        """The spec's seed."""
        return self.experiment.seed

    @property
    def module_path(self) -> str:
        """The module path that the spec's layer stands for."""
        return self.experiment.module_path

    @property
    def takes_whole_examples(self) -> bool:
        """Whether a row is a whole example rather than a position."""
        return self.experiment.takes_whole_examples

    @property
    def own(self) -> VariantPlan:
        """The plan of the spec's own network."""
        return self.variants[0]

    @property
    def limit(self) -> int | None:
        """Examples at most, as the command line said; None where all that the spec names are taken."""
        return self.own.recipe.limit

    @cached_property
    def comparisons(self) -> Mapping[str, Stage]:
        """Stages that compare analyses with their controls, by analysis; none where nothing is compared."""
        stages = {}
        for name, own in self.own.analyses.items():
            controls = {
                variant.title: variant.analyses[name].stage.digest
                for variant in self.controls()
                if name in variant.analyses
            }
            if own.analysis.compared and controls:
                identity = {
                    "analysis": without_references(own.analysis.identity()),
                    "own": own.stage.digest,
                    "controls": controls,
                    "seed": self.own.recipe.seed,
                }
                stages[name] = Stage("comparison", f"{name}.comparison", identity, path=f"analyses.{name}")
        return stages

    @property
    def n_stages(self) -> int:
        """How many stages there are, those of comparisons, figures and the report included."""
        figures = len(self.own.analyses) + len(self.own.drawn_scores) + (self.own.training is not None)
        return len(self.stages()) + len(self.comparisons) + figures + 1

    def stages(self) -> tuple[Stage, ...]:
        """The stages of all variants, in the order they run; a stage that several share comes for each."""
        return tuple(stage for variant in self.variants for stage in variant.stages())

    def controls(self) -> tuple[VariantPlan, ...]:
        """The plans of everything the own network is compared with."""
        return self.variants[1:]
