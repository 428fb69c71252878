"""The network under study, trained again from another seed."""

from __future__ import annotations

from typing import ClassVar

from polylens.controls import Control
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams


class SecondSeed(Control):
    """How much of a result is the seed's: the same training from other initial weights in another order.

    Only for networks trained here: published weights have no second seed. Examples, splits and draws stay.
    """

    has_own_draws: ClassVar[bool] = True
    needs_training: ClassVar[bool] = True
    mark: ClassVar[Mark | None] = Mark("#4f9bd3", "v")

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The network as it was trained."""
        return network
