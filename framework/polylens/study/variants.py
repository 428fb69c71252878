"""The networks one child looks at: the spec's own, each draw of each control, and the raw inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from polylens.analyses import NETWORK, RAW_INPUTS
from polylens.assembly import Recipe
from polylens.errors import UsageError
from polylens.spec import Experiment


@dataclass(frozen=True)
class Variant:
    """One network (or none: the raw inputs) that the whole walk is done on."""

    name: str
    """`network`, the control's name in the spec, or `raw_inputs`."""
    recipe: Recipe
    draw: int = 0
    draws: int = 1

    @property
    def title(self) -> str:
        """The name with the draw's number where there are several, such as `random_init#2`."""
        return self.name if self.draws == 1 else f"{self.name}#{self.draw + 1}"

    @property
    def is_own(self) -> bool:
        """Whether this is the network under study, and no control."""
        return self.name == NETWORK

    @property
    def is_raw_inputs(self) -> bool:
        """Whether the rows are the inputs themselves."""
        return self.name == RAW_INPUTS

    def stage_name(self, stage: str) -> str:
        """The stage's name for people and metrics: `clusters`, or `clusters.random_init#2`."""
        return stage if self.is_own else f"{stage}.{self.title}"


def variants_of(experiment: Experiment, *, limit: int | None) -> tuple[Variant, ...]:
    """All variants of one child, the spec's own network first and the raw inputs last.

    Raises:
        UsageError: a control asks for something this model cannot be, such as training on shuffled classes.
    """
    own = Recipe(model=experiment.model, dataset=experiment.dataset, seed=experiment.seed, limit=limit)
    return (Variant(NETWORK, own), *_controls(experiment, own), Variant(RAW_INPUTS, own))


def _controls(experiment: Experiment, own: Recipe) -> Iterator[Variant]:
    for named in experiment.controls:
        control = named.control
        refused = control.why_not(experiment.model)
        if refused is not None:
            raise UsageError(f"the control '{named.name}' {refused[0]}", hint=refused[1])
        for draw in range(control.draws):
            yield Variant(named.name, replace(own, control=control, draw=draw), draw, control.draws)
