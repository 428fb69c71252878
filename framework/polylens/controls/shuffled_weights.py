"""The network under study with each tensor's learnt numbers in random places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.controls import Control
from polylens.errors import UsageError, listed
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch


class ShuffledWeights(Control):
    """Learnt distributions without learnt structure: each parameter tensor's numbers are permuted.

    Every parameter is permuted: weights, biases, scales and shifts of norms, each by a stream of its own
    name. A weight that is computed from others (weight norm, spectral norm) is permuted as the network uses
    it, and no longer computed. Buffers are not permuted; where the network has batch norms, their statistics
    are taken anew from the data.
    """

    version: ClassVar[int] = 2
    mark: ClassVar[Mark | None] = Mark("#858f98", "D")

    calibration_examples: int = Field(default=256, ge=2)
    """Examples drawn to recalibrate batch norms."""

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """A copy of the network with permuted parameters, its batch norms recalibrated.

        Raises:
            UsageError: the network has learnt numbers that are no parameters of it, or none at all.
        """
        import torch

        from polylens.controls._recalibration import recalibrate
        from polylens.modules import (
            behaviour_of,
            check_changed,
            check_reach,
            copy_module,
            make_plain,
            unregistered_tensors,
        )

        module = copy_module(network.module).eval()
        make_plain(module)
        _check_parameters(list(module.parameters()), kept=unregistered_tensors(module))
        inputs = examples.batch([0]) if len(examples) else None
        if inputs is not None:  # of copies: a pass may change what a network holds
            check_reach(copy_module(module), inputs, given=network.module, meant="shuffled")
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                order = torch.from_numpy(streams.generator("shuffle", name).permutation(parameter.numel()))
                numbers = parameter.flatten()
                parameter.copy_(numbers[order.to(parameter.device)].reshape(parameter.shape))
        if inputs is not None:
            pair = (network.module, module)
            before, after = (behaviour_of(copy_module(each).eval(), inputs) for each in pair)
            check_changed(before, after, meant="shuffled")
        recalibrate(module, examples, count=self.calibration_examples, streams=streams)
        return replace(network, module=module)


def _check_parameters(parameters: list[torch.Tensor], *, kept: tuple[str, ...]) -> None:
    if kept:
        raise UsageError(
            f"the weights cannot be shuffled: {listed(kept, most=6)} would stay, as no registered parameters",
            hint="register them (nn.Parameter, nn.ParameterList, nn.ModuleList), or leave this control out",
        )
    if not any(parameter.numel() > 1 for parameter in parameters):
        raise UsageError(
            "the weights cannot be shuffled: the network has no parameters with more than one number",
            hint="leave this control out",
        )
