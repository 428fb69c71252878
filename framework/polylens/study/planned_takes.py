"""Takes as stages: what each variant harvests, and what of it one forward pass can bring for all children."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from polylens.analyses import Need
from polylens.harvest import Take
from polylens.records import Examples, TextFormat
from polylens.spec import Experiment
from polylens.study.performing import Performer
from polylens.study.plans import ChildPlan, PlannedTake, VariantPlan
from polylens.study.stages import THUMBNAIL, Stage
from polylens.study.variants import Variant


class TakePlanner:
    """Works out the harvest stages of one child's variants; lives only while planning."""

    def __init__(self, experiment: Experiment, examples: Examples, *, precision: str) -> None:
        """
        Args:
            experiment: what the child does.
            examples: its examples.
            precision: the numbers that forward passes compute in, as `Options` has it.
        """
        self._experiment = experiment
        self._examples = examples
        self._precision = precision
        self._is_text = isinstance(experiment.model.input_format(), TextFormat)
        # Numbers of tokens have no distances; their embeddings have, and know as little of what is around.
        self.raw_layer: str | None = "input"
        """The layer whose rows are the raw inputs; None where these have no distances."""
        if self._is_text:
            is_whole = experiment.takes_whole_examples
            self.raw_layer = None if is_whole else experiment.model.token_embedding()

    def reads_network(self, variant: Variant) -> bool:
        """Whether the variant's rows come out of a network; the raw inputs of images are seen by none."""
        return self._is_text or not variant.is_raw_inputs

    def plan(
        self, variant: Variant, needs: Collection[Need], *, network: Mapping[str, Any] | None
    ) -> dict[str, PlannedTake]:
        """The variant's takes, by part.

        Args:
            variant: whose rows are taken.
            needs: the parts of rows that its analyses read.
            network: what makes its network what it is; None where `reads_network` says that there is none.
        """
        parts: tuple[Need, ...] = ("activations", "codes")
        return {part: self._take(variant, part, network) for part in parts if part in needs}

    def _take(self, variant: Variant, part: Need, network: Mapping[str, Any] | None) -> PlannedTake:
        experiment, is_raw_image = self._experiment, not self.reads_network(variant)
        layer = experiment.module_path
        if variant.is_raw_inputs and self.raw_layer is not None:
            layer = self.raw_layer
        # Raw inputs of images are whole.
        whole = is_raw_image or experiment.takes_whole_examples
        sampling = None if whole else experiment.sampling
        code = experiment.code if part == "codes" else None
        thumbnail = THUMBNAIL if is_raw_image else None
        identity: dict[str, Any] = {
            "examples": self._examples.fingerprint,
            "layer": layer,
            "part": part,
            "whole": whole,
            "sampling": None if sampling is None else sampling.identity(),
            "code": None if code is None else code.identity(),
            "thumbnail": thumbnail,
            "network": network,
            "precision": None if is_raw_image else self._precision,
            "seed": None if is_raw_image else experiment.seed,
        }
        name = "harvest" if part == "activations" else "harvest_codes"
        stage = Stage("harvest", variant.stage_name(name), identity, path="layer")
        take = Take(stage.digest, layer, part, sampling, code, whole, thumbnail)
        return PlannedTake(stage, take)


def missing_takes(
    plans: Sequence[ChildPlan], plan: ChildPlan, variant: VariantPlan, performer: Performer
) -> list[PlannedTake]:
    """The takes that the store lacks of one network on the same examples, over all children of a study.

    One forward pass can bring them all. Empty where the variant itself lacks nothing.

    Args:
        plans: the plans of all children.
        plan: the child that is walked.
        variant: the variant of it whose rows are wanted.
        performer: knows what the store has.
    """
    missing: dict[str, PlannedTake] = {}
    for other in plans:
        if other.examples.fingerprint != plan.examples.fingerprint:
            continue
        for one in other.variants:
            if one.recipe == variant.recipe:
                for planned in one.takes.values():
                    if not performer.is_stored(planned.stage):
                        missing[planned.stage.digest] = planned
    own = {planned.stage.digest for planned in variant.takes.values()}
    return list(missing.values()) if own & missing.keys() else []
