"""Networks and examples put together from a recipe: what to build, whose weights, changed by which control.

A recipe is plain data, so that a worker process can put together the very same network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from polylens.controls import Control
from polylens.datasets import Dataset, Opening
from polylens.errors import UsageError
from polylens.models import Model
from polylens.progress import Progress, Silent
from polylens.records import Examples, Network
from polylens.store import Store
from polylens.streams import Streams


@dataclass(frozen=True)
class Recipe:
    """One network on one dataset."""

    model: Model
    dataset: Dataset
    seed: int
    control: Control | None = None
    draw: int = 0
    """Which of the control's draws."""
    limit: int | None = None
    """At most this many examples."""
    training: str = ""
    """Digest of the stored training stage that holds the weights; empty for networks not trained here."""

    @property
    def weighted_model(self) -> Model:
        """The model whose weights the network starts from: the spec's own, or what the control asks for.

        Raises:
            UsageError: the model can have no such control, for example as it is not trained here.
        """
        if self.control is None:
            return self.model
        start = self.control.start(self.model)
        if start is None:
            refused = self.control.why_not(self.model)
            why, hint = refused or ("does not fit this model", "leave it out")
            raise UsageError(f"the control '{self.control.kind()}' {why}", hint=hint)
        return start

    @property
    def weight_streams(self) -> Streams:
        """Randomness of initial weights and of training: the spec's own, or the control draw's."""
        streams = Streams(self.seed).child("model")
        if self.control is None or not self.control.has_own_draws:
            return streams
        return streams.child(self.control.kind(), self.draw)

    def to_plain(self) -> dict[str, Any]:
        """Plain data that `from_plain` reads again."""
        return {
            "model": self.model.to_plain(),
            "dataset": self.dataset.to_plain(),
            "seed": self.seed,
            "control": None if self.control is None else self.control.to_plain(),
            "draw": self.draw,
            "limit": self.limit,
            "training": self.training,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Recipe:
        """The recipe that `to_plain` wrote."""
        control = plain["control"]
        return cls(
            model=Model.model_validate(plain["model"]),
            dataset=Dataset.model_validate(plain["dataset"]),
            seed=plain["seed"],
            control=None if control is None else Control.model_validate(control),
            draw=plain["draw"],
            limit=plain["limit"],
            training=plain["training"],
        )


def open_examples(
    recipe: Recipe,
    *,
    root: Path,
    split: Literal["train"] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Examples:
    """The recipe's examples, prepared for its model.

    Args:
        recipe: whose dataset, model and seed.
        root: folder that relative data roots start from.
        split: `train` gives the examples kept for training.
        cache: folder where slow checks of files are remembered.
        progress: where long checks show themselves.
    """
    opening = Opening(
        streams=Streams(recipe.seed).child("dataset"),
        root=root,
        limit=recipe.limit if split is None else None,
        split=split,
        cache=cache,
        progress=progress or Silent(),
    )
    return recipe.dataset.open(recipe.model.input_format(), opening)


def assemble(
    recipe: Recipe, examples: Examples, *, store: Store, root: Path, progress: Progress | None = None
) -> Network:
    """The recipe's network in eval mode: built, given its weights, changed by its control.

    Raises:
        StoreError: the trained weights are not in the store, or are damaged.
        DataError: published or local weights cannot be had.
    """
    model = recipe.weighted_model
    module = model.build(recipe.weight_streams.torch_generator("weights"))
    if recipe.training:
        from safetensors.torch import load_file

        folder = store.open("training", recipe.training)
        module.load_state_dict(load_file(folder / "weights.safetensors"))
    elif recipe.control is None or recipe.control.has_learnt:
        # Into a network that nothing may have been learnt by, no weights are read, whatever its kind says.
        module = model.load(module, root=root, progress=progress)
    network = Network(
        name=model.kind(),
        module=module.eval().requires_grad_(requires_grad=False),
        input_format=model.input_format(),
        aliases=model.aliases(),
        example_input=model.example_input(),
        is_causal=model.is_causal(),
        output_names=model.output_names(),
    )
    if recipe.control is None:
        return network
    streams = Streams(recipe.seed).child("control", recipe.control.kind(), recipe.draw)
    changed = recipe.control.apply(network, examples, streams)
    return replace(changed, module=changed.module.eval().requires_grad_(requires_grad=False))
