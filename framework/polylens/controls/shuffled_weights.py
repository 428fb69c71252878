"""The same network with each tensor's learnt numbers in random places."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from pydantic import Field

from polylens.controls import Control
from polylens.records import Examples, Network
from polylens.streams import Streams


class ShuffledWeights(Control):
    """Learnt distributions without learnt structure: each parameter tensor's numbers are permuted.

    Every parameter is permuted: weights, biases, scales and shifts of norms, each by a stream of its own
    name. Buffers are not; where the network has batch norms, their statistics are taken anew from the data.
    """

    calibration_examples: int = Field(default=256, ge=2)
    """Examples drawn to recalibrate batch norms."""

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """A copy of the network with permuted parameters, its batch norms recalibrated."""
        import torch

        from polylens.controls._recalibration import recalibrate

        module = deepcopy(network.module).eval()
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                order = torch.from_numpy(streams.generator("shuffle", name).permutation(parameter.numel()))
                numbers = parameter.flatten()
                parameter.copy_(numbers[order.to(parameter.device)].reshape(parameter.shape))
        recalibrate(module, examples, count=self.calibration_examples, streams=streams)
        return replace(network, module=module)
