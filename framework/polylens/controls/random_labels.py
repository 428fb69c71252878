"""The same network trained on permuted classes."""

from __future__ import annotations

from typing import ClassVar

from polylens.controls import Control, Weights
from polylens.records import Examples, Network
from polylens.streams import Streams


class RandomLabels(Control):
    """Training without meaning: the same training on classes permuted among the training examples.

    Only for networks trained here. The training itself draws anew with every draw of the control.

    Source: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", section 2.
    """

    weights: ClassVar[Weights] = "shuffled targets"
    needs_training: ClassVar[bool] = True

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The network as it was trained."""
        return network
