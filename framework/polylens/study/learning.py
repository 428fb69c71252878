"""Training a child's networks, and how well each does what it is trained for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.records import Findings, Number
from polylens.store import (
    KeptArrays,
    load_findings,
    load_number,
    load_table,
    save_findings,
    save_number,
)
from polylens.study.plans import VariantPlan

if TYPE_CHECKING:
    import pandas as pd

    from polylens.study.walk import Walk


class Learning:
    """The stages of a walk that train networks and score them on the spec's examples."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

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
            if training is None or self._walk.plan.train_examples is None:
                raise AssertionError("a training stage is only planned for models trained here")
            streams = recipe.weight_streams
            module = recipe.weighted_model.build(streams.torch_generator("weights"))
            options, progress = self._walk.workshop.options, self._walk.performer.progress_of(stage)
            learnt = self._walk.plan.train_examples
            if isinstance(training, LanguageTraining):
                fit_language(
                    module,
                    learnt,
                    training=training,
                    streams=streams,
                    folder=folder,
                    keeper=KeptArrays(self._walk.workshop.store, stage.kind, stage.digest),
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

        self._walk.performer.perform(stage, work)

    def score(self, variant: VariantPlan) -> None:
        """Scores the variant's network on the spec's examples: its classes, or the next token of texts."""
        stage = variant.accuracy
        if stage is None:
            return

        def work(folder: Path) -> None:
            from polylens.training import accuracy, next_token_numbers

            network = self._walk.checked_network(variant)
            examples, learnt = self._walk.plan.examples, self._walk.plan.train_examples
            options, progress = self._walk.workshop.options, self._walk.performer.progress_of(stage)
            if variant.recipe.model.learns == "classes":
                save_number(folder, accuracy(network, examples, options=options, progress=progress))
                return
            if learnt is None:
                raise AssertionError("predictions are only scored of models trained here")
            numbers = next_token_numbers(network, examples, learnt=learnt, options=options, progress=progress)
            save_findings(folder, Findings(numbers=numbers))

        self._walk.performer.perform(stage, work)

    def scores(self, variant: VariantPlan) -> Mapping[str, Number]:
        """How well the variant's network does what it is trained for; nothing where it is not scored."""
        stage = variant.accuracy
        if stage is None:
            return {}

        def load() -> Mapping[str, Number]:
            folder = self._walk.performer.open(stage)
            if variant.recipe.model.learns == "classes":
                return {"accuracy": load_number(folder)}
            return load_findings(folder).numbers

        return self._walk.performer.read(load, again=lambda: self.score(variant))

    def history(self) -> pd.DataFrame | None:
        """Loss and accuracy by epoch of the network's training; None where it is not trained here."""
        own = self._walk.own
        stage = own.training
        if stage is None:
            return None
        return self._walk.performer.read(
            lambda: load_table(self._walk.performer.open(stage) / "history.parquet"),
            again=lambda: self.train(own),
        )
