"""The network under study, trained on permuted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from polylens.controls import Control
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.models import Model


class RandomLabels(Control):
    """Training without meaning: the same training on classes permuted among the training examples.

    Only for networks trained here. The training itself draws anew with every draw of the control.

    Source: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", section 2.
    """

    has_own_draws: ClassVar[bool] = True
    needs_training: ClassVar[bool] = True
    mark: ClassVar[Mark | None] = Mark("#7a5230", "^")

    def start(self, model: Model) -> Model | None:
        """The model trained on shuffled classes."""
        return model.with_targets("shuffled")

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The network as it was trained."""
        return network
