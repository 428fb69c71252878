"""The network under study with fresh weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.controls import Control
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.models import Model


class RandomInit(Control):
    """The architecture and preprocessing alone: fresh weights of the own initialisation, nothing learnt.

    Where the network has batch norms, their statistics are taken anew from the data; without that, signals
    die out (in torchvision's untrained GoogLeNet pre-activations of the last blocks are of the order of
    1e-11) and there is no control.

    Biases are those of the own initialisation too: zero in networks that are built here (`mlp`, `cnn`).
    Training moves them, so what differs between a trained network and this control may be the biases', above
    all where boundaries lie: without biases all those of a first layer meet in the origin.
    """

    has_learnt: ClassVar[bool] = False
    has_own_draws: ClassVar[bool] = True
    mark: ClassVar[Mark | None] = Mark("#c9620a", "s")

    calibration_examples: int = Field(default=256, ge=2)
    """Examples drawn to recalibrate batch norms."""

    def start(self, model: Model) -> Model:
        """The model with fresh weights."""
        return model.untrained()

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """A copy of the fresh network, its batch norms recalibrated."""
        from polylens.controls._recalibration import recalibrate
        from polylens.modules import copy_module

        module = copy_module(network.module).eval()
        recalibrate(module, examples, count=self.calibration_examples, streams=streams)
        return replace(network, module=module)
