"""Controls: the same walk on a changed network."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import Field

from polylens.plugin import Plugin
from polylens.records import Examples, Network
from polylens.streams import Streams

Weights = Literal["same", "untrained", "shuffled targets", "another seed"]
"""Where a control's network gets its weights, before `apply` changes them."""


class Control(Plugin):
    """A control that a spec can name."""

    family: ClassVar[str] = "controls"
    weights: ClassVar[Weights] = "same"
    """Which weights the control starts from."""
    needs_training: ClassVar[bool] = False
    """Whether it only makes sense for networks trained here."""

    draws: int = Field(default=1, ge=1)
    """How many changed networks are drawn, each with randomness of its own."""

    @abstractmethod
    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The changed network. `network` is not modified.

        Args:
            network: with the weights that `weights` names.
            examples: the spec's examples, for controls that calibrate on data.
            streams: randomness of this draw.
        """
