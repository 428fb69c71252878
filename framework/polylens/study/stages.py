"""Stages: pieces of work with a digest of everything that can change their results, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from polylens.assembly import Recipe
from polylens.digests import digest
from polylens.store import Store

_VERSIONS = {
    "behaviour": 1,
    "training": 2,
    "accuracy": 2,
    "prediction": 1,
    "harvest": 2,
    "analysis": 2,
    "labels": 1,
    "scores": 1,
    "comparison": 1,
}
"""Raised when a stage's own code changes its results, so that older stored ones are not mistaken for new."""

_LOOKS = ("figures", "report", "overview")
"""Stages without a version: they are named by the sources that make them (`polylens.study.looks`)."""

THUMBNAIL = 16
"""Raw inputs are averaged down to at most this many pixels a side before they serve as a baseline."""


@dataclass(frozen=True)
class Stage:
    """One piece of work whose result lies in the store under its digest."""

    kind: str
    """Folder in the store, one of `_VERSIONS` or of `_LOOKS`."""
    name: str
    """For people and metrics, such as `harvest.random_init#2`."""
    identity: Mapping[str, Any]
    """Plain data: everything that can change the result."""
    path: str = ""
    """Where the spec asks for it, as a dotted path."""

    @cached_property
    def digest(self) -> str:
        """The stage's name in the store."""
        version = {} if self.kind in _LOOKS else {"version": _VERSIONS[self.kind]}
        return digest({"stage": self.kind, **version, **self.identity})

    def about(self) -> dict[str, Any]:
        """What the store writes beside the result, so that `plan --why` can say what differs."""
        return {"name": self.name, "identity": dict(self.identity)}


def are_stored(stages: Iterable[Stage], store: Store) -> bool:
    """Whether the store has all of the stages."""
    return all(store.has(stage.kind, stage.digest) for stage in stages)


def network_identity(recipe: Recipe, *, training: Stage | None, weights_digest: str) -> dict[str, Any]:
    """What makes a network what it is: the model, whose weights, the seed, the control and its draw.

    A network trained here is named by its training stage; its model fields then need no repeating, but
    preprocessing and layer names stay in, since they act after training.
    """
    control = None if recipe.control is None else {**recipe.control.identity(), "draw": recipe.draw}
    if control is not None:
        control.pop("draws")  # asking for more draws leaves the draws already made as they are
    return {
        "model": recipe.weighted_model.identity(),
        "weights": weights_digest,
        "training": None if training is None else training.digest,
        "seed": recipe.seed,
        "control": control,
    }


def training_stage(recipe: Recipe, *, name: str, train_fingerprint: str) -> Stage:
    """The stage that trains a recipe's network."""
    streams = recipe.weight_streams
    return Stage(
        kind="training",
        name=name,
        path="model.training",
        identity={
            "model": recipe.weighted_model.identity(),
            "examples": train_fingerprint,
            "seed": streams.seed,
            "stream": list(streams.path),
        },
    )
