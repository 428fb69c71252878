"""The network under study with each tensor's learnt numbers in random places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from polylens.controls import Control
from polylens.errors import UsageError, listed
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch

    from polylens.modules import Behaviour

_TRIED = 8
"""Examples, evenly over the dataset, of which one must have another output."""


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
        from polylens.modules import check_changed, check_reach, copy_module, make_plain, unregistered_tensors

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
            check_changed(_pairs(network.module, module, examples), meant="shuffled")
        recalibrate(module, examples, count=self.calibration_examples, streams=streams)
        return replace(network, module=module)


def _pairs(
    before: torch.nn.Module, after: torch.nn.Module, examples: Examples
) -> Iterator[tuple[Behaviour, Behaviour]]:
    """What two modules do with some examples, one by one: texts of several lengths would be padded."""
    from polylens.modules import behaviour_of, copy_module

    for index in np.unique(np.linspace(0, len(examples) - 1, _TRIED).astype(int)).tolist():
        inputs = examples.batch([index])
        yield (
            behaviour_of(copy_module(before).eval(), inputs),
            behaviour_of(copy_module(after).eval(), inputs),
        )


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
